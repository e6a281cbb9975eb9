//! The signed-in user's own account: password, address, profile.

use domain::{Language, Secret, UserId};
use serde::{Deserialize, Serialize};

use super::organization::Organization;
use super::session::User;

/// Body of `POST /api/auth/change-password`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangePassword {
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 1, max_length = 256, example = "correct horse battery"))]
    pub current_password: Secret,
    /// 8 to 256 characters.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 8, max_length = 256, example = "correct horse battery staple"))]
    pub new_password: Secret,
    /// Ends every session of the user but this one. Left out: false.
    #[serde(default)]
    pub revoke_other_sessions: bool,
}

/// Body of `POST /api/auth/forgot-password` and `POST /api/auth/send-verification-email`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestMail {
    #[cfg_attr(feature = "schema", schema(format = "email", max_length = 320, example = "ada@example.com"))]
    pub email: String,
}

/// Body of `POST /api/auth/reset-password`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetPassword {
    /// From the link in the mail.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 1, max_length = 256, example = "q1b2…"))]
    pub token: Secret,
    /// 8 to 256 characters.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 8, max_length = 256, example = "correct horse battery staple"))]
    pub new_password: Secret,
}

/// Body of `POST /api/auth/verify-email`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyEmail {
    /// From the link in the mail.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 1, max_length = 256, example = "q1b2…"))]
    pub token: Secret,
}

/// The constant `mail_request`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum MailRequestObject {
    #[serde(rename = "mail_request")]
    MailRequest,
}

/// A request for a mail was heard. Whether one goes out is told to the mailbox alone.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MailRequested {
    pub object: MailRequestObject,
    /// For people.
    pub message: String,
}

/// The constant `profile`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ProfileObject {
    #[serde(rename = "profile")]
    Profile,
}

/// How the signed-in user appears, and the language that the dashboard speaks with the user.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub object: ProfileObject,
    pub id: UserId,
    pub display_name: String,
    pub language: Language,
    pub email: String,
    /// The same as `displayName`, as sessions and lists of members show it.
    pub name: String,
}

/// Body of `PATCH /api/profile`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateProfile {
    /// 1 to 100 characters.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, min_length = 1, max_length = 100, example = "Ada"))]
    pub display_name: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = Language, required = false))]
    pub language: Option<Language>,
}

/// The constant `me`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum MeObject {
    #[serde(rename = "me")]
    Me,
}

/// The signed-in user and the organizations that the user is a member of, newest first and at most 100; their own list has all.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Me {
    pub object: MeObject,
    pub user: User,
    pub language: Language,
    pub organizations: Vec<Organization>,
}

/// Body of `POST /api/welcome/setup`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUpProfile {
    /// 1 to 100 characters. Left out: the name stays.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, min_length = 1, max_length = 100, example = "Ada"))]
    pub display_name: Option<String>,
}

/// The constant `welcome`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum WelcomeObject {
    #[serde(rename = "welcome")]
    Welcome,
}

/// The first steps are done.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    pub object: WelcomeObject,
    /// Always true.
    pub ok: bool,
    pub display_name: String,
}
