//! A database, a tenant and a worker for each test.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::mock::MockClock;
use domain::{NanoUsd, RandomIds, RunId, UserId};
use runs::{CredentialError, CredentialSource, Handle, Options, Parts, Pool, RunSecrets, SandboxSource, Service};
use sandbox::ToolhostImage;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use serde_json::{Map, json};
use store::{AppScope, Followed, NewApiKey, NewOrganization, NewRun, NewUser, Run, RunRecord, SealError, Sealer, Store, WriteContext};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::run_spec::{Egress, ModelProtocol, ModelSpec, Prompt, RunLimits, RunSpec};

use crate::fake::{FakeLaunch, FakeSandbox, Script};

/// The hash of the owner's session.
const SESSION: [u8; 32] = [7; 32];

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) scope: AppScope,
    url: String,
    folder: TempDir,
}

/// A worker at work on a world.
pub(crate) struct Worker {
    pub(crate) handle: Handle,
    pub(crate) launch: Arc<FakeLaunch>,
    pub(crate) sandbox: Arc<FakeSandbox>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) life: JoinHandle<()>,
}

#[derive(Debug)]
struct NoSeal;

impl Sealer for NoSeal {
    fn seal(&self, plain: &[u8], _: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(plain.to_vec())
    }

    fn open(&self, sealed: &[u8], _: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.to_vec())
    }
}

/// What becomes of the keys of every run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys {
    Given,
    Gone,
    /// A defect of ours.
    Panicking,
}

#[async_trait]
impl CredentialSource for Keys {
    async fn open(&self, _: &AppScope, _: &RunSpec) -> Result<RunSecrets, CredentialError> {
        match self {
            Self::Given => Ok(RunSecrets { model_key: Some("sk-canary".into()), ..RunSecrets::default() }),
            Self::Gone => Err(CredentialError::Gone("The model's key was deleted.".to_owned())),
            Self::Panicking => panic!("the keys are cursed"),
        }
    }
}

pub(crate) fn options() -> Options {
    Options {
        grace: Duration::from_millis(200),
        shutdown_grace: Duration::from_millis(50),
        heartbeat: Duration::from_millis(20),
        cancel_poll: Duration::from_millis(20),
        queue_poll: Duration::from_millis(50),
        recover_every: Duration::from_millis(20),
        ..Options::default()
    }
}

impl World {
    /// A fresh world on every engine at hand.
    pub(crate) async fn each() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("store.db").display());
        let mut worlds = vec![Self::start(url, folder).await];
        if let Some(server) = server() {
            worlds.push(Self::start(postgres(&server).await, tempfile::tempdir().unwrap()).await);
        }
        worlds
    }

    async fn start(url: String, folder: TempDir) -> Self {
        let clock = Arc::new(MockClock::default());
        let store = open(&url, folder.path(), &clock).await;
        let scope = tenant(&store).await;
        Self { store, clock, scope, url, folder }
    }

    /// The store of a later life of the server.
    pub(crate) async fn reopened(&self) -> Store {
        open(&self.url, self.folder.path(), &self.clock).await
    }

    pub(crate) async fn raw(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.unwrap()
    }

    /// A worker whose sidecars follow the script.
    pub(crate) fn worker(&self, script: Script) -> Worker {
        Worker::start(&self.store, options(), Keys::Given, script)
    }

    /// Who owns the organization.
    pub(crate) async fn owner(&self) -> UserId {
        self.store.system().session_by_hash(&SESSION).await.unwrap().unwrap().user.id
    }

    pub(crate) fn new_run(&self) -> NewRun {
        new_run(&self.scope)
    }

    pub(crate) async fn start_run(&self, new: &NewRun) -> RunId {
        let write = self.store.write(&self.scope, WriteContext::internal()).await.unwrap();
        let run = runs::start(&write, new, &runs::PlatformRunLimits::default()).await.unwrap();
        write.commit().await.unwrap();
        run.id
    }

    /// Cancels as the API does.
    pub(crate) async fn cancel(&self, run: RunId) -> Result<runs::Cancelled, runs::RunError> {
        let write = self.store.write(&self.scope, WriteContext::internal()).await.unwrap();
        let cancelled = runs::cancel(&write, run).await;
        write.commit().await.unwrap();
        cancelled
    }

    /// Waits for the event with this name.
    pub(crate) async fn reached(&self, run: RunId, name: &str) {
        let mut follow = self.store.follow_run(&self.scope, run, 0).await.unwrap().unwrap();
        let waited = async {
            while let Some(step) = follow.next().await.unwrap() {
                if matches!(step, Followed::Event(record) if record.name == name) {
                    return;
                }
            }
            panic!("the run ended without {name}");
        };
        soon(waited).await;
    }

    /// Waits for the end of a run: its row and its record.
    pub(crate) async fn ended(&self, run: RunId) -> (Run, Vec<RunRecord>) {
        let mut follow = self.store.follow_run(&self.scope, run, 0).await.unwrap().unwrap();
        let waited = async {
            let mut records = Vec::new();
            while let Some(step) = follow.next().await.unwrap() {
                if let Followed::Event(record) = step {
                    records.push(record);
                }
            }
            records
        };
        let records = soon(waited).await;
        assert_eq!(records.iter().filter(|record| record.name == "run.ended").count(), 1, "exactly one end");
        assert_eq!(records.last().unwrap().name, "run.ended");
        (self.run(run).await, records)
    }

    pub(crate) async fn run(&self, run: RunId) -> Run {
        self.store.read(&self.scope).await.unwrap().runs().get(run).await.unwrap().unwrap()
    }

    pub(crate) async fn records(&self, run: RunId) -> Vec<RunRecord> {
        self.store.read(&self.scope).await.unwrap().run_events().after(run, 0, 1_000).await.unwrap()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let raw = self.raw().await;
        raw.execute_unprepared(sql).await.unwrap();
        raw.close().await.unwrap();
    }
}

impl Worker {
    pub(crate) fn start(store: &Store, options: Options, keys: Keys, script: Script) -> Self {
        let launch = Arc::new(FakeLaunch::new(script));
        let sandbox = Arc::new(FakeSandbox::default());
        let toolhost = Arc::new(ToolhostImage::open(Path::new("/bin/true")).unwrap());
        let parts = Parts {
            store: store.clone(),
            pool: Pool::new(launch.clone(), 1),
            sandbox: SandboxSource { sandbox: sandbox.clone(), toolhost },
            credentials: Arc::new(keys),
        };
        let (service, handle) = Service::new(options, parts);
        let shutdown = CancellationToken::new();
        let life = tokio::spawn(service.run(shutdown.clone()));
        Self { handle, launch, sandbox, shutdown, life }
    }

    /// Stops the worker in order, and checks that it has left nothing behind.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        soon(self.life).await.unwrap();
        assert_eq!(self.handle.running(), 0);
        assert_eq!(self.launch.living(), 0, "no sidecar is left");
        assert_eq!(self.sandbox.standing(), 0, "no sandbox is left");
    }
}

/// What must happen in a test happens soon, or the test fails.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("happens soon")
}

pub(crate) fn names(records: &[RunRecord]) -> Vec<&str> {
    records.iter().map(|record| record.name.as_str()).collect()
}

pub(crate) fn nano(amount: i64) -> NanoUsd {
    NanoUsd(amount)
}

fn new_run(scope: &AppScope) -> NewRun {
    let model = ModelSpec {
        id: None,
        label: "Scripted".to_owned(),
        protocol: ModelProtocol::OpenAiCompletions,
        base_url: "http://127.0.0.1:1/v1".parse().unwrap(),
        model: "scripted-1".to_owned(),
        context_window: 128_000,
        max_output_tokens: 4_096,
        reasoning: false,
        accepts_images: false,
        price: None,
    };
    let spec = RunSpec {
        run: RunId::new(&RandomIds),
        org: scope.org(),
        app: scope.app(),
        end_user: scope.reach().end_user(),
        agent: "@acme/agent".parse().unwrap(),
        version: Some("1.0.0".to_owned()),
        prompt: Prompt::default(),
        model,
        tools: Vec::new(),
        providers: Vec::new(),
        packages: Vec::new(),
        output_schema: None,
        memories: Vec::new(),
        egress: Egress::Public,
        proxy: None,
        limits: RunLimits::default(),
    };
    NewRun { spec, input: json!({}), config: json!({}), user: None, key: None }
}

async fn open(url: &str, folder: &Path, clock: &Arc<MockClock>) -> Store {
    let mut options = store::Options::new(url, folder.join("blobs"), Arc::new(NoSeal));
    options.clock = clock.clone();
    options.connections = 4;
    Store::connect(options).await.unwrap()
}

async fn tenant(store: &Store) -> AppScope {
    let write = store.system().write(WriteContext::internal()).await.unwrap();
    let new = NewUser {
        realm: "platform".to_owned(),
        email: "ada@example.com".to_owned(),
        name: "Ada".to_owned(),
        email_verified: true,
        password_hash: None,
    };
    let user = write.users().create(new).await.unwrap();
    let new = NewOrganization {
        name: "Ada".to_owned(),
        slug: "ada".to_owned(),
        settings: Map::new(),
        owner: user.id,
        application: "Default".to_owned(),
    };
    let (organization, application) = write.create_organization(new).await.unwrap();
    let token_hash = SESSION;
    let expires_at = store.clock().now() + Duration::from_hours(24);
    write.sessions().create(store::NewSession { user: user.id, token_hash, expires_at, ip: None, user_agent: None }).await.unwrap();
    write.commit().await.unwrap();

    let system = store.system();
    let session = system.session_by_hash(&token_hash).await.unwrap().unwrap();
    let org = system.membership(&session, organization.id).await.unwrap().unwrap().scope;
    let scope = system.application_scope(&org, application.id, &session).await.unwrap().unwrap();
    let write = store.write(&scope, WriteContext::internal()).await.unwrap();
    let key = NewApiKey {
        name: "key".to_owned(),
        hash: [8; 32],
        prefix: "ask_1234".to_owned(),
        scopes: Vec::new(),
        created_by: user.id,
        expires_at: None,
    };
    write.api_keys().create(key).await.unwrap();
    write.commit().await.unwrap();
    system.key_by_hash(&[8; 32], None).await.unwrap().unwrap().app_scope()
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

async fn postgres(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("appstrate_runs_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let connection = Database::connect(server).await.unwrap();
    connection.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    connection.close().await.unwrap();
    let (before, _) = server.rsplit_once('/').expect("a database URL with a database");
    format!("{before}/{name}")
}
