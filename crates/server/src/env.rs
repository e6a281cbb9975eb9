//! Configuration: read once, here, from the environment (or the flag of the same name). Libraries receive plain options.
//!
//! `appstrate --help` and `docs/reference/configuration.md` are generated from this file.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use audit::Pin;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{AppId, OrgId, Secret};
use url::Url;

/// An Agent-as-a-Service platform: run AI agents on behalf of your customers.
#[derive(Debug, Parser)]
#[command(name = "appstrate", version, about, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API and work on runs.
    Serve(Box<Serve>),
    /// Look after the audit log.
    #[command(subcommand)]
    Audit(Audit),
    /// Carry out one run. Started by `serve`, never by hand: descriptors 0 and 1 are sockets of the worker.
    #[command(hide = true)]
    Sidecar {
        /// The log filter: a sidecar has no environment.
        #[arg(default_value = "info")]
        log_level: String,
    },
}

/// What is done with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Check that nobody has changed the log past the server. Reads only; exits with 0: whole, 1: changed, 2: could not be checked, 3: needs
    /// an explanation.
    Verify(Box<Verify>),
}

/// Settings of `audit verify`. Without a chain it checks them all.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("chain"))]
pub(crate) struct Verify {
    /// Check the log of this application.
    #[arg(long, group = "chain")]
    pub application: Option<AppId>,
    /// Check the log of this organization outside its applications.
    #[arg(long, group = "chain")]
    pub organization: Option<OrgId>,
    /// Check the log of what belongs to no organization, such as signing in.
    #[arg(long, group = "chain")]
    pub platform: bool,
    /// A seal that was written down elsewhere, `<number>:<digest>`; the chain must contain it. Repeatable.
    #[arg(long, requires = "chain")]
    pub pin: Vec<Pin>,
    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Folder of the embedded database and of the generated key.
    #[arg(long, env = "DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// `postgres://…` or `sqlite://…`. Left out: `appstrate.db` in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    pub database_url: Option<Secret>,
    /// The master key. With it, only keys that it has sealed count as this server's. Left out: the one in the data folder, if there is one.
    #[arg(long, env = "CONNECTION_ENCRYPTION_KEY", hide_env_values = true, value_parser = secret)]
    pub connection_encryption_key: Option<Secret>,
}

/// Which part of the server a process plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// API and worker in one process.
    All,
    /// The API alone.
    Api,
    /// The worker alone.
    Worker,
}

/// Where the sandbox of a run comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunAdapter {
    /// Linux namespaces, made by the server itself.
    Namespace,
}

/// Settings of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which part of the server this process plays.
    #[arg(long, env = "ROLE", value_enum, default_value = "all")]
    pub role: Role,
    /// TCP port of the API; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Address that the API listens on.
    #[arg(long, env = "LISTEN_ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub listen_address: IpAddr,
    /// The public base URL. `https` makes session cookies `__Host-` and `Secure`. Left out: `http://localhost` with the port.
    #[arg(long, env = "APP_URL")]
    pub app_url: Option<Url>,
    /// Folder of everything that the embedded default keeps: database, blobs, generated keys.
    #[arg(long, env = "DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// `postgres://…` or `sqlite://…`. Left out: `appstrate.db` in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    pub database_url: Option<Secret>,
    /// 32 bytes in base64 that seal all stored credentials. Required with PostgreSQL; generated into the data folder otherwise.
    #[arg(long, env = "CONNECTION_ENCRYPTION_KEY", hide_env_values = true, value_parser = secret)]
    pub connection_encryption_key: Option<Secret>,
    /// The isolation of runs.
    #[arg(long, env = "RUN_ADAPTER", value_enum, default_value = "namespace")]
    pub run_adapter: RunAdapter,
    /// The tool host. Left out: `appstrate-toolhost` beside this binary.
    #[arg(long, env = "TOOLHOST_PATH")]
    pub toolhost_path: Option<PathBuf>,
    /// Sidecar processes kept ready for the next runs. 0: each run waits for its own.
    #[arg(long, env = "SIDECAR_POOL_SIZE", default_value_t = 2)]
    pub sidecar_pool_size: usize,
    /// Runs that this worker carries out at once.
    #[arg(long, env = "WORKER_CONCURRENCY", default_value_t = 50)]
    pub worker_concurrency: usize,
    /// JSON: `timeout_ceiling_seconds` (1800), `per_org_global_rate_per_min` (200), `max_concurrent_per_org` (50).
    #[arg(long, env = "PLATFORM_RUN_LIMITS", default_value = "{}")]
    pub platform_run_limits: String,
    /// JSON: limits of inline runs, such as `manifest_bytes` (65536) and `prompt_bytes` (200000).
    #[arg(long, env = "INLINE_RUN_LIMITS", default_value = "{}")]
    pub inline_run_limits: String,
    /// JSON: how many requests each class of routes takes, `{"run": {"limit": 20, "window": 60, "ceiling": 100}}`, and what differs for
    /// single applications, `{"applications": {"app_…": {"run": {"limit": 100}}}}`. The classes: reference/rate-limits.md.
    #[arg(long, env = "RATE_LIMITS", default_value = "{}")]
    pub rate_limits: String,
    /// `redis://…`, or `rediss://…` for TLS: a Redis on which all nodes count rate limits together and through which they wake each other.
    /// Left out: each node counts for itself, and nodes on PostgreSQL wake each other through it.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_parser = secret)]
    pub redis_url: Option<Secret>,
    /// Milliseconds that a request waits for Redis before its node counts for itself.
    #[arg(long, env = "REDIS_TIMEOUT_MS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub redis_timeout_ms: u64,
    /// Exceptions to the ban on private addresses: comma-separated `purpose=CIDR-or-host:port`, purpose one of
    /// `models`, `webhooks`, `providers`, `agents`, `proxies`, `platform` (mail and login with others),
    /// `all`.
    #[arg(long, env = "OUTBOUND_ALLOW", default_value = "")]
    pub outbound_allow: String,
    /// Outbound proxies that every organization may choose: JSON, `[{"id", "label", "url", "isDefault"?, "enabled"?}]`, `url` being
    /// `http|https|socks5://[user:password@]host[:port]`.
    #[arg(long, env = "SYSTEM_PROXIES", default_value = "[]", hide_env_values = true, value_parser = secret)]
    pub system_proxies: Secret,
    /// What a test of an outbound proxy calls through it.
    #[arg(long, env = "PROXY_TEST_URL", default_value = "https://example.com/")]
    pub proxy_test_url: Url,
    /// `false`, `true` (one proxy) or the number of proxies in front whose `X-Forwarded-For` is believed. Behind a proxy it must be set: all
    /// clients otherwise have the proxy's address, and share the rate limits of one.
    #[arg(long, env = "TRUST_PROXY", default_value = "false", value_parser = trusted_proxies)]
    pub trust_proxy: u8,
    /// Browser origins, comma-separated, that may send requests with a session. The origin of `APP_URL` always may.
    #[arg(long, env = "TRUSTED_ORIGINS", default_value = "")]
    pub trusted_origins: String,
    #[command(flatten)]
    pub mail: Mail,
    #[command(flatten)]
    pub login: Login,
    /// `debug`, `info`, `warn` or `error`, or a filter such as `info,runs=debug`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
    /// Write logs as JSON lines.
    #[arg(long, env = "LOG_JSON", default_value_t = false)]
    pub log_json: bool,
    /// What opens `GET /metrics` as a bearer token, for a Prometheus. Left out: there are no metrics.
    #[arg(long, env = "METRICS_TOKEN", hide_env_values = true, value_parser = metrics_token)]
    pub metrics_token: Option<Secret>,
}

impl Serve {
    /// The public base URL, as it is set or as the API listens on this machine.
    pub(crate) fn app_url(&self) -> Url {
        let local = || Url::parse(&format!("http://localhost:{}", self.port)).expect("a number of 16 bits is a port");
        self.app_url.clone().unwrap_or_else(local)
    }
}

/// The mail server.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named after their variables")]
pub(crate) struct Mail {
    /// The server that sends mail. `SMTP_HOST`, `SMTP_USER`, `SMTP_PASS` and `SMTP_FROM` are set together or not at all. With mail, addresses
    /// are proven before their users sign in, and passwords can be reset.
    #[arg(long, env = "SMTP_HOST")]
    pub smtp_host: Option<String>,
    /// The mail server's port.
    #[arg(long, env = "SMTP_PORT", default_value_t = 587)]
    pub smtp_port: u16,
    /// The user that signs in at the mail server.
    #[arg(long, env = "SMTP_USER")]
    pub smtp_user: Option<String>,
    /// The password of `SMTP_USER`.
    #[arg(long, env = "SMTP_PASS", hide_env_values = true, value_parser = secret)]
    pub smtp_pass: Option<Secret>,
    /// The sender of mail: `no-reply@example.com` or `Name <no-reply@example.com>`.
    #[arg(long, env = "SMTP_FROM")]
    pub smtp_from: Option<String>,
    /// `tls` from the first byte, `starttls`, or `none`, which sends password and mail in clear. `auto`: `tls` on port 465, else `starttls`.
    #[arg(long, env = "SMTP_SECURE", value_enum, default_value = "auto")]
    pub smtp_secure: SmtpSecure,
}

/// How mail travels to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SmtpSecure {
    Auto,
    Tls,
    #[value(name = "starttls")]
    StartTls,
    None,
}

/// Login with others.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The OAuth client at Google. With `GOOGLE_CLIENT_SECRET` users can sign in with Google; register `APP_URL` +
    /// `/api/auth/callback/google` there.
    #[arg(long, env = "GOOGLE_CLIENT_ID")]
    pub google_client_id: Option<String>,
    /// The secret of the OAuth client at Google.
    #[arg(long, env = "GOOGLE_CLIENT_SECRET", hide_env_values = true, value_parser = secret)]
    pub google_client_secret: Option<Secret>,
    /// Another issuer of OpenID Connect in Google's place.
    #[arg(long, env = "GOOGLE_ISSUER", default_value = "https://accounts.google.com")]
    pub google_issuer: Url,
    /// The OAuth app at GitHub. With `GITHUB_CLIENT_SECRET` users can sign in with GitHub; register `APP_URL` +
    /// `/api/auth/callback/github` there.
    #[arg(long, env = "GITHUB_CLIENT_ID")]
    pub github_client_id: Option<String>,
    /// The secret of the OAuth app at GitHub.
    #[arg(long, env = "GITHUB_CLIENT_SECRET", hide_env_values = true, value_parser = secret)]
    pub github_client_secret: Option<Secret>,
    /// The address of a GitHub Enterprise server in github.com's place.
    #[arg(long, env = "GITHUB_BASE_URL", default_value = "https://github.com")]
    pub github_base_url: Url,
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that clap calls")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::from(text))
}

/// Whoever may guess it has a while to do so.
fn metrics_token(text: &str) -> Result<Secret, String> {
    if text.len() >= 16 { Ok(Secret::from(text)) } else { Err("must have 16 characters or more".to_owned()) }
}

fn trusted_proxies(text: &str) -> Result<u8, String> {
    match text {
        "false" | "" => Ok(0),
        "true" => Ok(1),
        number => number.parse().map_err(|_| "must be false, true or a number of proxies up to 255".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn proxies_are_counted() {
        assert_eq!((trusted_proxies("false"), trusted_proxies("true"), trusted_proxies("2")), (Ok(0), Ok(1), Ok(2)));
        assert!(trusted_proxies("yes").is_err());
    }

    #[test]
    fn the_public_address_follows_the_port_unless_it_is_set() {
        let of = |arguments: &[&str]| match Cli::try_parse_from(["appstrate", "serve"].iter().chain(arguments)).unwrap().command {
            Command::Serve(serve) => serve.app_url().to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(of(&["--port", "3456"]), "http://localhost:3456/");
        assert_eq!(of(&["--port", "3456", "--app-url", "https://agents.example"]), "https://agents.example/");
    }

    #[test]
    fn a_pin_needs_its_chain() {
        let pin = format!("7:{}", "0".repeat(64));
        assert!(Cli::try_parse_from(["appstrate", "audit", "verify", "--pin", &pin]).is_err());
        assert!(Cli::try_parse_from(["appstrate", "audit", "verify", "--platform", "--pin", &pin, "--pin", &pin]).is_ok());
        assert!(Cli::try_parse_from(["appstrate", "audit", "verify", "--platform", "--pin", "7"]).is_err());
        let application = ["--application", "app_01jd9xq3e8f2t8v0k3m5n7p9r1"];
        assert!(Cli::try_parse_from(["appstrate", "audit", "verify", "--platform"].into_iter().chain(application)).is_err());
    }

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let secrets = [
            "--connection-encryption-key",
            "--database-url",
            "--redis-url",
            "--system-proxies",
            "--metrics-token",
            "--smtp-pass",
            "--google-client-secret",
            "--github-client-secret",
        ];
        let arguments = secrets.iter().flat_map(|flag| [*flag, "canary with sixteen or more"]);
        let cli = Cli::parse_from(["appstrate", "serve"].into_iter().chain(arguments));
        assert!(!format!("{cli:?}").contains("canary"));
        let verify = ["appstrate", "audit", "verify", "--database-url", "canary", "--connection-encryption-key", "canary"];
        assert!(!format!("{:?}", Cli::parse_from(verify)).contains("canary"));
    }

    #[test]
    fn what_hides_its_value_in_the_help_is_a_secret() {
        // Each variable whose value clap must not show is in the list above: a new one that is not fails here.
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("serve exists");
        let hidden = serve.get_arguments().filter(|argument| argument.is_hide_env_values_set()).count();
        assert_eq!(hidden, 8);
    }

    #[test]
    fn a_token_that_is_soon_guessed_is_none() {
        assert!(Cli::try_parse_from(["appstrate", "serve", "--metrics-token", "short"]).is_err());
    }
}
