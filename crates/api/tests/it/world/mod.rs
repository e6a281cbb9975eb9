//! A server of its own for each test: the real router and store, time and ids that a test controls, no sockets.

mod actor;
mod database;
mod ids;
mod logs;
mod mailbox;
mod platform;
mod provider;
mod reply;
mod stream;
mod tenant;

use std::sync::Arc;
use std::time::Duration;

use api::chain::address::TrustedProxies;
use auth::Passwords;
use auth::mail::Mailer;
use auth::social::Logins;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use connect::Vault;
use connect::vault::{MasterKey, MasterKeys};
use domain::mock::MockClock;
use futures::future::BoxFuture;
use runs::preflight::Limits;
use store::{RateLimiter, SealError, Sealer, Store};
use tempfile::TempDir;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::ServiceExt as _;

pub(crate) use self::actor::Actor;
use self::database::Database;
pub(crate) use self::ids::TripIds;
pub(crate) use self::logs::Logs;
use self::mailbox::Mailbox;
pub(crate) use self::platform::{PlatformAudit, Trace};
pub(crate) use self::provider::{Grant, Provider};
pub(crate) use self::reply::Reply;
pub(crate) use self::stream::{Frame, Stream};
pub(crate) use self::tenant::{KeyPlan, Tenant, unique};

/// One server with an empty database.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) ids: Arc<TripIds>,
    pub(crate) failpoints: Arc<store::failpoints::Failpoints>,
    /// What was mailed, in a world with mail.
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) passwords: Passwords,
    background: TaskTracker,
    database_url: String,
    router: Router,
    folder: Arc<TempDir>,
}

/// Rate limits that no story meets by accident; those about limits take smaller ones.
const PLENTY: &str = r#"{
    "run": {"limit": 1000000}, "import": {"limit": 1000000}, "create": {"limit": 1000000}, "read": {"limit": 1000000},
    "write": {"limit": 1000000}, "auth": {"limit": 1000000}, "public": {"limit": 1000000}
}"#;

/// What opens the metrics of every world.
pub(crate) const METRICS_TOKEN: &str = "the operator's token";

/// How long a whole answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Binds bytes to their associated data; no cryptography, which is crate `connect`'s.
#[derive(Debug)]
struct TestSealer;

impl Sealer for TestSealer {
    fn seal(&self, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok([associated, plain].concat())
    }

    fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        sealed.strip_prefix(associated).map(<[u8]>::to_vec).ok_or_else(|| SealError("sealed for something else".to_owned()))
    }
}

/// What differs between worlds, besides the options of the API.
#[derive(Default)]
struct Plan {
    /// More routes inside the chain.
    more: Router<api::App>,
    /// Whether the server can send mail.
    mails: bool,
    /// Where users can sign in with others.
    provider: Option<String>,
    /// The server's own calls; `None` reaches nothing.
    outbound: Option<connect::Outbound>,
}

/// The services behind the API: the one place that knows them all.
async fn parts(store: Store, clock: Arc<MockClock>, mailer: Option<Arc<dyn Mailer>>, plan: &Plan, options: api::Options) -> api::Parts {
    let costs = auth::password::Options { memory_kib: 64, passes: 1, parallel: 2 };
    let masters = MasterKeys::new(MasterKey::from_bytes("test", [7; 32]), Vec::new());
    let vault = Vault::open(store.clone(), masters).await.unwrap();
    let many = r#"{"max_concurrent_per_org": 1000000, "per_org_global_rate_per_min": 1000000}"#;
    let limits = Limits { platform: many.parse().unwrap(), inline: "{}".parse().unwrap() };
    let limiter = RateLimiter::in_memory(clock);
    let client = net::Client::new(net::Options::new("all=127.0.0.1".parse().unwrap())).unwrap();
    let registration = plan.provider.as_deref().map(provider::registration);
    let logins = Logins::new(client, options.app_url.clone(), registration.clone(), registration);
    let background = TaskTracker::new();
    let outbound = plan.outbound.clone().unwrap_or_else(|| outbound("", "[]", "https://example.com/"));
    api::Parts { store, passwords: Passwords::new(costs), vault, limits, outbound, limiter, mailer, logins, background, options }
}

/// Knows no name, so that nothing leaves this machine.
#[derive(Debug)]
struct NoNames;

impl net::resolver::Resolver for NoNames {
    fn lookup<'a>(&'a self, _: &'a str) -> BoxFuture<'a, std::io::Result<Vec<std::net::IpAddr>>> {
        Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) })
    }
}

/// The server's own calls, with these settings of the operator's: `OUTBOUND_ALLOW`, `SYSTEM_PROXIES`, `PROXY_TEST_URL`.
fn outbound(allow: &str, proxies: &str, test_url: &str) -> connect::Outbound {
    let mut options = net::Options::new(allow.parse().unwrap());
    options.resolver = Arc::new(NoNames);
    let client = net::Client::new(options).unwrap();
    let proxies = connect::SystemProxies::parse(&proxies.into(), &client).unwrap();
    connect::Outbound::new(client, Arc::new(proxies), test_url.parse().unwrap())
}

fn options() -> api::Options {
    api::Options {
        app_url: "http://localhost:3000".parse().unwrap(),
        trusted_origins: vec!["https://console.example".to_owned()],
        trusted_proxies: TrustedProxies(1),
        rate_limits: PLENTY.parse().unwrap(),
        sandbox_unavailable: None,
        deprecations: Vec::new(),
        streams: api::sse::Timing::default(),
        body_patience: PATIENCE,
        metrics_token: Some(METRICS_TOKEN.into()),
    }
}

impl World {
    /// On PostgreSQL when `TEST_DATABASE_URL` names a server, otherwise on SQLite.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// On SQLite, where no second lock stands behind the filters of the repositories, with mail.
    pub(crate) async fn on_sqlite() -> Self {
        Self::on(Database::Sqlite, |_| {}, Plan { mails: true, ..Plan::default() }).await
    }

    /// As [`Self::start`], with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut api::Options)) -> Self {
        Self::on(Database::preferred(), change, Plan::default()).await
    }

    /// As [`Self::start`], on a server that can send mail.
    pub(crate) async fn with_mail() -> Self {
        Self::on(Database::preferred(), |_| {}, Plan { mails: true, ..Plan::default() }).await
    }

    /// As [`Self::start`], on a server whose users can sign in with Google and GitHub, both played by `provider`.
    pub(crate) async fn with_logins(provider: &Provider, change: impl FnOnce(&mut api::Options)) -> Self {
        Self::on(Database::preferred(), change, Plan { provider: Some(provider.url()), ..Plan::default() }).await
    }

    /// As [`Self::start`], with more routes inside the chain.
    pub(crate) async fn with_routes(more: Router<api::App>) -> Self {
        Self::on(Database::preferred(), |_| {}, Plan { more, ..Plan::default() }).await
    }

    /// One world on each engine at hand: SQLite always.
    pub(crate) async fn each() -> Vec<Self> {
        let mut worlds = Vec::new();
        for database in Database::all() {
            worlds.push(Self::on(database, |_| {}, Plan::default()).await);
        }
        worlds
    }

    /// As [`Self::start`], on a server whose operator has set `OUTBOUND_ALLOW`, `SYSTEM_PROXIES` and `PROXY_TEST_URL`.
    pub(crate) async fn with_outbound(allow: &str, proxies: &str, test_url: &str) -> Self {
        let outbound = Some(outbound(allow, proxies, test_url));
        Self::on(Database::preferred(), |_| {}, Plan { outbound, ..Plan::default() }).await
    }

    /// As [`Self::each`], on servers whose operator has set `OUTBOUND_ALLOW`. Tests of proxies call this machine.
    pub(crate) async fn each_with_outbound(allow: &str) -> Vec<Self> {
        let mut worlds = Vec::new();
        for database in Database::all() {
            let outbound = Some(outbound(allow, "[]", "http://127.0.0.1:9/"));
            worlds.push(Self::on(database, |_| {}, Plan { outbound, ..Plan::default() }).await);
        }
        worlds
    }

    /// As [`Self::each`], on servers that can send mail.
    pub(crate) async fn each_with_mail() -> Vec<Self> {
        let mut worlds = Vec::new();
        for database in Database::all() {
            worlds.push(Self::on(database, |_| {}, Plan { mails: true, ..Plan::default() }).await);
        }
        worlds
    }

    async fn on(database: Database, change: impl FnOnce(&mut api::Options), plan: Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, ids) = (Arc::new(MockClock::default()), Arc::new(TripIds::default()));
        let database_url = database.clone_into(folder.path()).await;
        let mut store_options = store_options(&database_url, folder.path());
        store_options.clock = clock.clone();
        store_options.ids = ids.clone();
        let failpoints = Arc::clone(&store_options.failpoints);
        let store = Store::connect(store_options).await.unwrap();
        let mut options = options();
        change(&mut options);
        let mailbox = Arc::new(Mailbox::default());
        let mailer = plan.mails.then(|| -> Arc<dyn Mailer> { mailbox.clone() });
        let parts = parts(store.clone(), clock.clone(), mailer, &plan, options).await;
        let (passwords, background) = (parts.passwords.clone(), parts.background.clone());
        let (operations, _) = api::router::documented().split_for_parts();
        let router = api::router::around(api::App::new(parts), operations.merge(plan.more));
        Self { store, clock, ids, failpoints, mailbox, passwords, background, database_url, router, folder: Arc::new(folder) }
    }

    /// Another server on the same database, at the same time, with other options and no memory of what was counted.
    pub(crate) async fn again(&self, change: impl FnOnce(&mut api::Options)) -> Self {
        let mut options = options();
        change(&mut options);
        let parts = parts(self.store.clone(), self.clock.clone(), None, &Plan::default(), options).await;
        Self {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            failpoints: self.failpoints.clone(),
            mailbox: Arc::default(),
            passwords: parts.passwords.clone(),
            background: parts.background.clone(),
            database_url: self.database_url.clone(),
            router: api::router(api::App::new(parts)),
            folder: self.folder.clone(),
        }
    }

    /// Waits for what goes on after the answers so far, and gives the mails that were sent by then.
    pub(crate) async fn mails(&self) -> Vec<auth::mail::Mail> {
        self.background.close();
        self.background.wait().await;
        self.background.reopen();
        self.mailbox.take()
    }

    /// Takes this many places for work after answers.
    pub(crate) fn busy(&self, places: usize) -> Vec<TaskTrackerToken> {
        (0..places).map(|_| self.background.token()).collect()
    }

    /// Sends a request as it is. What no response may lack is checked here, for every request of every test.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        let asked = api::chain::version::requested(request.headers()).ok().flatten();
        let reply = async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            Reply::read(method.clone(), path.clone(), response).await.speaks(asked)
        };
        // A stream that should have been refused would go on for ever.
        tokio::time::timeout(PATIENCE, reply).await.unwrap_or_else(|_| panic!("{method} {path} does not end"))
    }

    /// Opens a stream, which must be granted.
    pub(crate) async fn open(&self, request: Request<Body>) -> Stream {
        let path = request.uri().to_string();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((response.status().as_u16(), header("content-type").as_deref()), (200, Some("text/event-stream")), "{path}");
        assert!(header("request-id").is_some() && header("cache-control").as_deref() == Some("no-store"), "{path}");
        assert_eq!(header("appstrate-version").as_deref(), Some("2026-03-21"), "{path}");
        Stream::new(response.into_body())
    }

    /// Asks for an answer that is read piece by piece, which must be granted.
    pub(crate) async fn pieces(&self, request: Request<Body>) -> axum::body::BodyDataStream {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        response.into_body().into_data_stream()
    }

    /// A caller without credentials.
    pub(crate) fn anonymous(&self) -> Actor<'_> {
        Actor::new(self)
    }
}

fn store_options(url: &str, folder: &std::path::Path) -> store::Options {
    let mut options = store::Options::new(url, folder.join("blobs"), Arc::new(TestSealer));
    options.connections = 4;
    // Tests flush by hand.
    options.last_used_every = Duration::from_hours(1);
    options
}
