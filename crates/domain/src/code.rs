//! The problem catalogue: every error a client can see has one stable code, a status, a title and a next step.
//!
//! `type` URIs and the pages under `/docs/errors/` are made from the code; see RFC 9457.

macro_rules! codes {
    ($($variant:ident = $status:literal, $code:literal, $title:literal, $help:literal;)+) => {
        /// A stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($variant),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The HTTP status that belongs to the code.
            pub const fn status(self) -> u16 { match self { $(Self::$variant => $status),+ } }
            /// The code on the wire, snake_case.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $code),+ } }
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $title),+ } }
            /// What the caller can do about it; the text of the code's documentation page.
            pub const fn next_step(self) -> &'static str { match self { $(Self::$variant => $help),+ } }
        }
    };
}

codes! {
    InvalidRequest = 400, "invalid_request", "Invalid Request", "The request is not well formed. `detail` and `param` name the header, query parameter or part that must change.";
    InvalidJson = 400, "invalid_json", "Invalid JSON", "The body is not valid JSON, or it is nested too deeply. Send one JSON object.";
    HeaderNotAllowed = 400, "header_not_allowed", "Header Not Allowed", "The header named in `param` works with API keys only. Drop it, or authenticate with a key.";
    InvalidApiVersion = 400, "invalid_api_version", "Invalid API Version", "`Appstrate-Version` must be a date, YYYY-MM-DD.";
    UnsupportedApiVersion = 400, "unsupported_api_version", "Unsupported API Version", "No such API version was released. The reference lists the released dates.";
    InvalidIdempotencyKey = 400, "invalid_idempotency_key", "Invalid Idempotency Key", "An idempotency key is 1 to 255 visible ASCII characters, bare or as a structured-field string, sent once. Leave the header out if there is no key.";
    InvalidToken = 400, "invalid_token", "Invalid Token", "The link is unknown, used or expired. Ask for a new mail and use its link once.";
    Unauthorized = 401, "unauthorized", "Unauthorized", "Send a valid API key (`Authorization: Bearer ask_…`) or sign in. A key that was revoked or has expired cannot be restored; make a new one.";
    InvalidCredentials = 401, "invalid_credentials", "Invalid Credentials", "E-mail and password do not belong together. Check both.";
    EmailNotVerified = 403, "email_not_verified", "E-mail Not Verified", "Open the link that was mailed to this address, then sign in. `POST /api/auth/send-verification-email` sends a new one.";
    LoginRefused = 403, "login_refused", "Login Refused", "The login provider did not vouch for the caller; `detail` says why. Begin again, or sign in another way.";
    Forbidden = 403, "forbidden", "Forbidden", "The caller is known but may not do this. `detail` names the permission that is missing or the scope that was left.";
    InvalidEndUser = 403, "invalid_end_user", "Invalid End-User", "`Appstrate-User` names no end-user of the key's application.";
    ScopeMismatch = 403, "scope_mismatch", "Scope Mismatch", "An organization publishes only under its own slug: the package name must begin with `@<slug>/`.";
    OperationNotAllowed = 403, "operation_not_allowed", "Operation Not Allowed", "A rule forbids this, whatever the permissions are; `detail` says which. What is built into the server is changed by its operator, your own role by another owner, and an owner is removed by an owner only.";
    EmailMismatch = 403, "email_mismatch", "E-mail Mismatch", "The invitation is for another e-mail than the one you are signed in with. Sign out, and sign in as the invited user.";
    NotFound = 404, "not_found", "Not Found", "No such resource is visible to this caller. Check the id, the application and the organization.";
    AgentNotFound = 404, "agent_not_found", "Agent Not Found", "The agent does not exist or is not installed in this application. Install it with `POST /api/applications/{id}/packages`.";
    PackageNotInstalled = 404, "package_not_installed", "Package Not Installed", "Install the package in the application first.";
    MethodNotAllowed = 405, "method_not_allowed", "Method Not Allowed", "The path exists with other methods; see the `Allow` header.";
    RequestTimeout = 408, "request_timeout", "Request Timeout", "The body took too long to arrive; `detail` gives the limit. Send it again over a faster connection, or send less.";
    Conflict = 409, "conflict", "Conflict", "The resource changed or exists already. Read it again and retry.";
    EmailTaken = 409, "email_taken", "E-mail Taken", "The e-mail is in use. Sign in instead, or choose another.";
    AccountNotLinked = 409, "account_not_linked", "Account Not Linked", "An account has this e-mail, and its address was never proven here. Open the link that `POST /api/auth/send-verification-email` mails to it, or reset the password by mail; either proves the address, and the provider's login works from then on. Where the server sends no mail, sign in with the password.";
    SlugTaken = 409, "slug_taken", "Slug Taken", "Another organization has this slug. Choose another.";
    ExternalIdTaken = 409, "external_id_taken", "External ID Taken", "Another end-user of this application has this external id.";
    NameCollision = 409, "name_collision", "Name Collision", "A package with this name exists. Publish a higher version, or choose another name.";
    TypeMismatch = 409, "type_mismatch", "Type Mismatch", "The package exists with another type. Choose another name.";
    IntegrityMismatch = 409, "integrity_mismatch", "Integrity Mismatch", "This version exists with other contents. Versions never change: publish a higher one.";
    VersionNotForward = 409, "version_not_forward", "Version Not Forward", "Versions only go forward: publish one above the highest that exists.";
    AlreadyInstalled = 409, "already_installed", "Already Installed", "The package is installed in this application. Change its configuration with PUT.";
    PackageInUse = 409, "package_in_use", "Package In Use", "Another package or a running agent needs this package.";
    ModelInUse = 409, "model_in_use", "Model In Use", "A model uses this provider key. Give the model another key or none, or delete it, then retry.";
    AlreadyMember = 409, "already_member", "Already a Member", "The user belongs to the organization. Change the member's role instead.";
    LastOwner = 409, "last_owner", "Last Owner", "An organization keeps an owner. Make another member an owner first, or delete the organization.";
    DefaultApplication = 409, "default_application", "Default Application", "The default application stays as long as its organization. Delete another application, or the organization.";
    RunInProgress = 409, "run_in_progress", "Run in Progress", "Runs are pending or running in what you want to delete. Cancel them or wait for their end, then retry.";
    KeyEnded = 409, "key_ended", "Key Ended", "The key was revoked or has expired and cannot be restored. Create a new one.";
    ProxyInUse = 409, "proxy_in_use", "Proxy In Use", "The proxy is the organization's default, or an application names it for an agent. Choose another there first.";
    NotCancellable = 409, "not_cancellable", "Not Cancellable", "The run has already ended.";
    IdempotencyInProgress = 409, "idempotency_in_progress", "Idempotency Conflict", "A request with the same idempotency key is being processed. Retry in a moment.";
    OutcomeUnknown = 409, "outcome_unknown", "Outcome Unknown", "The first request with this idempotency key was cut off while another service was being called, and the call cannot be repeated safely. Look whether it took effect; if not, send the request with a new key.";
    InvitationExpired = 410, "invitation_expired", "Invitation Expired", "The invitation was accepted or is too old. Sign in if it was you who accepted it; otherwise ask for a new one.";
    PayloadTooLarge = 413, "payload_too_large", "Payload Too Large", "The body is larger than this route accepts; `detail` gives the limit.";
    UnsupportedMediaType = 415, "unsupported_media_type", "Unsupported Media Type", "Send the content type that the reference gives for this route, mostly `application/json`.";
    ValidationError = 422, "validation_error", "Validation Error", "`errors` lists each value that must change, with a JSON Pointer.";
    PackageError = 422, "invalid_package", "Invalid Package", "The archive or its manifest breaks the AFPS format; `errors` lists every problem.";
    RunNotReady = 422, "run_not_ready", "Run Not Ready", "The run cannot start; `errors` lists everything that is missing, all at once.";
    IdempotencyConflict = 422, "idempotency_conflict", "Idempotency Conflict", "The idempotency key was used with another query, version or body. Use a new key for a new request.";
    RateLimited = 429, "rate_limited", "Rate Limited", "Too many requests. Wait for the seconds given in `Retry-After`.";
    TooManyAttempts = 429, "too_many_attempts", "Too Many Attempts", "Wrong guesses at one account or from one address are slowed down, and so are mails to one address. Wait for the seconds given in `Retry-After`; after wrong guesses, a password reset ends the wait too.";
    RunLimitReached = 429, "run_limit_reached", "Run Limit Reached", "The organization has as many active runs as it may have. Wait for one to end.";
    InternalError = 500, "internal_error", "Internal Error", "The fault is ours. Retry later; when you report it, give the `Request-Id`.";
    LoginProviderFailed = 502, "login_provider_failed", "Login Provider Failed", "The login provider could not be reached or answered something unexpected. Begin again in a moment, or sign in another way.";
    MailNotConfigured = 404, "mail_not_configured", "Mail Not Configured", "This server sends no mail. Its operator sets the `SMTP_…` variables.";
    SandboxUnavailable = 503, "sandbox_unavailable", "Sandbox Unavailable", "This server cannot isolate runs, so it refuses them. Its operator finds the cause and the remedy in the start-up log and under `/health`.";
    Unavailable = 503, "service_unavailable", "Service Unavailable", "The server is starting, stopping or has lost its database. Retry in a moment.";
}

impl Code {
    /// The code in a URL: `validation-error`.
    pub fn slug(self) -> String {
        self.as_str().replace('_', "-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_errors() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code:?} is doubled");
            assert!((400..600).contains(&code.status()));
            assert!(code.next_step().ends_with('.'));
        }
    }
}
