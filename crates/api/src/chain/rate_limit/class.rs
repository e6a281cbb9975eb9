//! What kind of work a route is. Each class has its own quota; the class of a route is in the OpenAPI document as `x-rate-limit`.

/// A class of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Run,
    Import,
    Create,
    Read,
    Write,
    Auth,
    Public,
}

impl Class {
    pub const ALL: [Self; 7] = [Self::Run, Self::Import, Self::Create, Self::Read, Self::Write, Self::Auth, Self::Public];

    /// The name in `RATE_LIMITS`, in the document and in the headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Import => "import",
            Self::Create => "create",
            Self::Read => "read",
            Self::Write => "write",
            Self::Auth => "auth",
            Self::Public => "public",
        }
    }

    /// The name of the ceiling over all paths of the class, where it has one.
    pub const fn ceiling_name(self) -> Option<&'static str> {
        match self {
            Self::Run => Some("run-ceiling"),
            Self::Import => Some("import-ceiling"),
            Self::Create => Some("create-ceiling"),
            Self::Read | Self::Write | Self::Auth | Self::Public => None,
        }
    }

    /// Requests in a minute, where `RATE_LIMITS` says nothing else.
    pub const fn default_limit(self) -> u32 {
        match self {
            Self::Run | Self::Auth => 20,
            Self::Import | Self::Create => 10,
            Self::Read => 300,
            Self::Write | Self::Public => 60,
        }
    }

    /// Which routes are meant, for the reference page.
    pub const fn routes(self) -> &'static str {
        match self {
            Self::Run => "starts of runs",
            Self::Import => "imports of packages",
            Self::Create => "`POST` that creates something",
            Self::Read => "`GET`; also `/health`, and tickets for streams",
            Self::Write => "every other change",
            Self::Auth => "changes without credentials: sign-up, sign-in",
            Self::Public => {
                "reads without credentials, such as this reference; one bucket for unknown routes, one for requests that lack credentials, one for requests whose credentials are wrong"
            }
        }
    }

    /// What has a bucket of its own, for the reference page.
    pub const fn counted_by(self) -> &'static str {
        match self {
            Self::Run | Self::Import | Self::Create => "identity and path; a ceiling over all paths of the class",
            Self::Read | Self::Write => "identity and route",
            Self::Auth | Self::Public => "address and route",
        }
    }

    /// The class of an operation, by what the document says of it. `route!` takes another where this rule is wrong.
    pub fn of(method: &str, path: &str, permission: &str, creates: bool) -> Self {
        let is_public = permission == "public";
        match method {
            "get" if is_public => Self::Public,
            "get" => Self::Read,
            _ if is_public => Self::Auth,
            "post" if starts_runs(path) => Self::Run,
            "post" if path.split('/').any(|part| part.starts_with("import")) => Self::Import,
            "post" if creates => Self::Create,
            _ => Self::Write,
        }
    }
}

fn starts_runs(path: &str) -> bool {
    path == "/api/runs" || path.starts_with("/api/runs/inline") || (path.starts_with("/api/agents/") && path.ends_with("/run"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_reads_method_path_and_permission() {
        for (method, path, permission, creates, class) in [
            ("post", "/api/agents/{scope}/{name}/run", "agents:run", false, Class::Run),
            ("post", "/api/runs", "agents:run", true, Class::Run),
            ("post", "/api/runs/inline", "agents:run", false, Class::Run),
            ("post", "/api/runs/inline/validate", "agents:run", false, Class::Run),
            ("post", "/api/runs/{id}/cancel", "runs:cancel", false, Class::Write),
            ("post", "/api/packages/import", "agents:write", true, Class::Import),
            ("post", "/api/packages/import-github", "agents:write", true, Class::Import),
            ("post", "/api/end-users", "end-users:write", true, Class::Create),
            ("post", "/api/webhooks/{id}/rotate", "webhooks:write", false, Class::Write),
            ("patch", "/api/end-users/{id}", "end-users:write", false, Class::Write),
            ("put", "/api/applications/{id}/packages/{scope}/{name}", "agents:configure", false, Class::Write),
            ("delete", "/api/end-users/{id}", "end-users:delete", false, Class::Write),
            ("get", "/api/runs", "runs:read", false, Class::Read),
            ("get", "/api/auth/get-session", "signed-in", false, Class::Read),
            ("post", "/api/auth/sign-in/email", "public", false, Class::Auth),
            ("post", "/api/auth/sign-up/email", "public", true, Class::Auth),
            ("get", "/api/invitations/{token}", "public", false, Class::Public),
        ] {
            assert_eq!(Class::of(method, path, permission, creates), class, "{method} {path}");
        }
    }
}
