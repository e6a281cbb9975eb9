//! Why a provider request was not carried out, in words for the agent and without any secret.

use domain::PackageName;
use http::StatusCode;
use serde_json::json;

/// A refused or failed provider request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the header {name} is missing or not valid: {problem}")]
    BadHeader { name: &'static str, problem: &'static str },
    #[error("\"{name}\" is no provider of this run; connected are: {connected}")]
    UnknownProvider { name: String, connected: String },
    #[error("the method {method} is not carried out")]
    Method { method: http::Method },
    #[error("the target is not a valid http or https address")]
    BadTarget,
    #[error("the provider {provider} does not permit this address; it permits: {permitted}")]
    UriNotAuthorized { provider: PackageName, permitted: String },
    #[error("the field \"{field}\" of {provider} cannot be used in a request; usable are: {usable}")]
    FieldNotUsable { provider: PackageName, field: String, usable: String },
    #[error("the connection to {provider} has no field \"{field}\"; connect it again")]
    FieldMissing { provider: PackageName, field: String },
    #[error("the field \"{field}\" of {provider} does not fit into {place}")]
    FieldShape { provider: PackageName, field: String, place: &'static str },
    #[error("credentials of {provider} are not sent to this address; only to its own or a listed one")]
    NotForCredentials { provider: PackageName },
    #[error("the header \"{name}\" has a value that cannot be sent")]
    HeaderValue { name: String },
    #[error("the request body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body is not text, so nothing can be substituted in it")]
    BodyNotText,
    #[error("the redirect leads to another origin, which may not see a body with credentials")]
    RedirectWithCredentials,
    #[error("the provider encoded its response although it was asked not to, so it cannot be checked for secrets")]
    EncodedResponse,
    #[error("this run has made {limit} provider requests, which is the most it may make")]
    TooManyCalls { limit: u64 },
    #[error(transparent)]
    Net(#[from] net::Error),
}

impl Refusal {
    /// Stable name of the reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadHeader { .. } => "invalid_header",
            Self::UnknownProvider { .. } => "unknown_provider",
            Self::Method { .. } => "method_refused",
            Self::BadTarget => "invalid_target",
            Self::UriNotAuthorized { .. } => "uri_not_authorized",
            Self::FieldNotUsable { .. } => "field_not_usable",
            Self::FieldMissing { .. } => "field_missing",
            Self::FieldShape { .. } => "field_not_fitting",
            Self::NotForCredentials { .. } => "credentials_not_for_target",
            Self::HeaderValue { .. } => "invalid_header_value",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyNotText => "body_not_text",
            Self::RedirectWithCredentials => "redirect_with_credentials",
            Self::EncodedResponse => "encoded_response",
            Self::TooManyCalls { .. } => "too_many_calls",
            Self::Net(error) if error.is_refusal() => "address_refused",
            Self::Net(error) if error.is_timeout() => "timeout",
            Self::Net(_) => "unreachable",
        }
    }

    /// The status that the proxy answers with.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadHeader { .. }
            | Self::UnknownProvider { .. }
            | Self::Method { .. }
            | Self::BadTarget
            | Self::FieldNotUsable { .. }
            | Self::FieldShape { .. }
            | Self::HeaderValue { .. }
            | Self::BodyNotText => StatusCode::BAD_REQUEST,
            Self::UriNotAuthorized { .. } | Self::NotForCredentials { .. } => StatusCode::FORBIDDEN,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyCalls { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Net(error) if error.is_refusal() => StatusCode::FORBIDDEN,
            Self::Net(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            Self::FieldMissing { .. } | Self::RedirectWithCredentials | Self::EncodedResponse | Self::Net(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The JSON body: `{"error": text, "code": name}`.
    pub fn body(&self) -> serde_json::Value {
        json!({ "error": self.to_string(), "code": self.code() })
    }
}
