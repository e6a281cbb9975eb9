//! The rules: which crate of ours may depend on which, and which crate owns a third-party crate.
//!
//! Mirrors the section "Layers" of ARCHITECTURE.md. A change here is a change of the architecture: it belongs in an ADR.

/// Every crate of the workspace, with those of ours it may depend on directly.
///
/// `ANY` stands for all: `testkit` and `bench` build a whole world around the product and are never shipped.
pub(super) const CRATES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("afps", &["domain"]),
    ("wire", &["domain", "afps"]),
    ("net", &["domain"]),
    ("store", &["domain", "afps", "wire"]),
    ("audit", &["domain", "store"]),
    ("auth", &["domain", "wire", "store", "net"]),
    ("connect", &["domain", "afps", "wire", "store", "net"]),
    ("agent", &["domain", "afps", "wire"]),
    ("sidecar", &["domain", "afps", "wire", "agent", "net"]),
    ("sandbox", &["domain", "wire"]),
    // The launcher is the tool host's own binary before it starts a thread, so it links the rung it carries out.
    ("toolhost", &["domain", "wire", "sandbox"]),
    ("runs", &["domain", "afps", "wire", "store", "sandbox", "connect", "agent"]),
    ("api", &["domain", "afps", "wire", "store", "auth", "connect", "runs"]),
    ("server", &["domain", "afps", "wire", "net", "store", "audit", "auth", "connect", "sidecar", "sandbox", "runs", "api"]),
    ("testkit", ANY),
    ("bench", ANY),
    ("xtask", &[]),
];

pub(super) const ANY: &[&str] = &["*"];

/// Who may have `testkit` outside `[dev-dependencies]`: nothing that is shipped.
pub(super) const MAY_LINK_TESTKIT: &[&str] = &["bench"];

/// Third-party crates with an owner, the crates that may name them, and why.
///
/// Tests may look anywhere, so `[dev-dependencies]` are exempt.
pub(super) const OWNED: &[Owned] = &[
    Owned { packages: &["sea-orm", "sea-orm-migration", "sqlx", "libsqlite3-sys"], owners: &["store"], reason: "SQL lives in `store`" },
    Owned { packages: &["object_store", "redis"], owners: &["store"], reason: "what is kept is kept by `store`" },
    Owned {
        packages: &["reqwest", "tokio-rustls", "webpki-roots"],
        owners: &["net", "testkit", "bench"],
        reason: "outbound calls go through the one client in `net`",
    },
    Owned {
        packages: &["axum"],
        owners: &["api", "server", "testkit", "bench"],
        reason: "HTTP of the platform is `api`; `server` serves it",
    },
    Owned {
        packages: &["axum-extra", "tower-http", "utoipa-axum", "utoipa-swagger-ui"],
        owners: &["api", "testkit"],
        reason: "HTTP of the platform is `api`",
    },
    Owned {
        packages: &["hyper", "hyper-util"],
        owners: &["net", "sidecar", "server", "testkit", "bench"],
        reason: "outbound calls go through the one client in `net`, and the sidecar serves its listeners",
    },
    Owned { packages: &["rustls"], owners: &["net", "sidecar", "server", "testkit", "bench"], reason: "the sandbox side carries no TLS" },
    Owned { packages: &["argon2"], owners: &["auth"], reason: "passwords are the business of `auth`" },
    Owned { packages: &["lettre", "jsonwebtoken"], owners: &["auth"], reason: "who signs in, and mail to them, is the business of `auth`" },
    Owned { packages: &["seccompiler", "landlock"], owners: &["sandbox"], reason: "isolation is built in `sandbox`" },
    Owned { packages: &["rquickjs", "oxc"], owners: &["toolhost"], reason: "foreign code runs in the tool host only" },
    Owned {
        packages: &["clap", "tracing-subscriber"],
        owners: &["server", "testkit", "bench"],
        reason: "only a binary reads its command line and environment",
    },
    Owned { packages: &["anyhow"], owners: &["server", "testkit", "bench"], reason: "libraries return their own error types" },
    Owned { packages: &["openssl", "native-tls", "ring", "aes-gcm", "rsa"], owners: &[], reason: "aws-lc-rs is the one crypto provider" },
];

/// A group of third-party crates and the crates of ours that may name them.
pub(super) struct Owned {
    pub(super) packages: &'static [&'static str],
    pub(super) owners: &'static [&'static str],
    pub(super) reason: &'static str,
}

/// Crates without I/O and without async.
pub(super) const PURE: &[&str] = &["domain", "afps"];

/// What a pure crate may not name.
pub(super) const IMPURE_PACKAGES: &[&str] = &["tokio", "tokio-util", "tokio-stream", "futures", "async-trait", "hyper", "nix", "libc"];
