//! Who calls: credentials and the four headers, on any route.

mod credentials;
mod end_user;
mod origin;
mod scope;
mod version;
