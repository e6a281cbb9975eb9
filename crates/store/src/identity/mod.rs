//! Who there is. One repository a file; each hangs off a unit in the scope it needs.

mod account_tokens;
mod api_keys;
mod applications;
mod attempts;
mod end_users;
mod invitations;
mod login_identities;
mod members;
mod organizations;
mod sessions;
mod stream_tickets;
mod users;

pub use self::account_tokens::{AccountTokens, NewAccountToken, TokenPurpose};
pub use self::api_keys::{ApiKey, ApiKeyChange, ApiKeys, NewApiKey};
pub use self::applications::{Application, ApplicationChange, ApplicationDeletion, Applications, NewApplication};
pub use self::attempts::{Allowance, AttemptBucket, Attempts, Settlement};
pub use self::end_users::{EndUser, EndUserChange, EndUserFilter, EndUsers, NewEndUser};
pub use self::invitations::{ClaimedInvitation, Delivery, Invitation, Invitations, NewInvitation};
pub use self::login_identities::LoginIdentities;
pub use self::members::{Member, Members};
pub(crate) use self::organizations::API_VERSION;
pub use self::organizations::{NewOrganization, Organization, OrganizationChange, OrganizationDeletion, Organizations};
pub(crate) use self::sessions::ExtendSession;
pub use self::sessions::{NewSession, Session, Sessions};
pub use self::stream_tickets::{NewStreamTicket, StreamTickets, TicketMaker};
pub use self::users::{NewUser, User, UserChange, UserLogin, Users};
