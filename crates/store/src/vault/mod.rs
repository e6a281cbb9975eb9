//! Credentials of outside services, sealed: profiles, their connections, and the keys that seal. The cryptography is crate
//! `connect`'s; here are only the rows.

mod connections;
mod data_keys;
mod profiles;

pub use self::connections::{Connection, ConnectionFilter, Connections, CredentialsChange, NewConnection};
pub use self::data_keys::{DataKey, DataKeyOwner, KeyCheck, NewDataKey};
pub use self::profiles::{Holder, NewProfile, Profile, Profiles};
