//! Sign-up, sign-in and the session.

use domain::{Secret, SessionId, UserId};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// A platform user as the user sees itself.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    pub created_at: Moment,
}

/// Body of `POST /api/auth/sign-up/email`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignUp {
    /// 1 to 200 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200, example = "Ada Lovelace"))]
    pub name: String,
    #[cfg_attr(feature = "schema", schema(format = "email", max_length = 320, example = "ada@example.com"))]
    pub email: String,
    /// 8 to 256 characters.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 8, max_length = 256, example = "correct horse battery"))]
    pub password: Secret,
}

/// Body of `POST /api/auth/sign-in/email`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignIn {
    #[cfg_attr(feature = "schema", schema(format = "email", max_length = 320, example = "ada@example.com"))]
    pub email: String,
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 1, max_length = 256, example = "correct horse battery"))]
    pub password: Secret,
}

/// The constant `session`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum SessionObject {
    #[serde(rename = "session")]
    Session,
}

/// A signed-in session.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub object: SessionObject,
    pub id: SessionId,
    pub user: User,
    pub expires_at: Moment,
}

/// The constant `sign_up`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum SignUpObject {
    #[serde(rename = "sign_up")]
    SignUp,
}

/// A sign-up that waits for the link in a mail. It reads the same whether or not the address has an account already.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PendingSignUp {
    pub object: SignUpObject,
    pub email: String,
    /// Always true.
    pub requires_verification: bool,
}

/// What a sign-up answers: the session at once, or, on a server that sends mail, that the address must be proven first.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum SignUpResult {
    Session(Session),
    Pending(PendingSignUp),
}

/// One of the caller's sessions, as their list shows it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListedSession {
    pub object: SessionObject,
    pub id: SessionId,
    /// Whether it is the session of this request.
    pub current: bool,
    /// The address that it was opened from.
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: Moment,
    /// Moves on while the session is in use.
    pub expires_at: Moment,
}
