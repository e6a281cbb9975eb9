//! Paths as they may be written down: without the secrets that some of them carry.

use std::borrow::Cow;

/// What stands before a secret.
const BEFORE: [&str; 2] = ["/api/invitations/", "/invite/"];

/// The path for logs and audit rows.
pub fn path(path: &str) -> Cow<'_, str> {
    let Some((before, rest)) = BEFORE.iter().find_map(|before| Some((*before, path.strip_prefix(before)?))) else { return path.into() };
    let after = rest.find('/').map_or("", |at| &rest[at..]);
    format!("{before}[redacted]{after}").into()
}

/// Whether a part of the path must not be written down.
pub fn holds_secret(path: &str) -> bool {
    BEFORE.iter().any(|before| path.starts_with(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_paths_are_not_written_down() {
        assert_eq!(path("/api/invitations/s3cret/accept"), "/api/invitations/[redacted]/accept");
        assert_eq!(path("/invite/s3cret"), "/invite/[redacted]");
        assert_eq!(path("/api/orgs/org_1/invitations/inv_1"), "/api/orgs/org_1/invitations/inv_1");
    }
}
