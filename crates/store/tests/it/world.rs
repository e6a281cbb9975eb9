//! A store of its own for each test: SQLite always, PostgreSQL too when `TEST_DATABASE_URL` names a server.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::mock::MockClock;
use domain::{AppId, EndUserId, KeyId, OrgId, Secret, UserId};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use serde_json::Map;
use sha2::{Digest as _, Sha256};
use store::{
    AppScope, KeyLogin, NewApiKey, NewEndUser, NewOrganization, NewSession, NewUser, Options, OrgScope, SealError, Sealer, SessionLogin,
    Store, WriteContext,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// One store, and what a test moves by hand.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) clock: Arc<MockClock>,
    /// Of the database.
    pub(crate) url: String,
    folder: TempDir,
}

/// An organization with its owner, default application and a key.
pub(crate) struct Tenant {
    pub(crate) org: OrgId,
    pub(crate) app: AppId,
    pub(crate) owner: UserId,
    pub(crate) key: KeyId,
    pub(crate) login: KeyLogin,
    pub(crate) session: SessionLogin,
    pub(crate) scope: AppScope,
    pub(crate) org_scope: OrgScope,
}

impl Tenant {
    /// The tenant of this name, as its credentials lead to it.
    pub(crate) async fn find(store: &Store, name: &str) -> Self {
        let system = store.system();
        let session = system.session_by_hash(&hash(&format!("session of {name}"))).await.unwrap().unwrap();
        let login = system.key_by_hash(&hash(name), None).await.unwrap().unwrap();
        let org_scope = system.membership(&session, login.org).await.unwrap().unwrap().scope;
        let (org, app, key) = (login.org, login.app, login.key);
        Self { org, app, owner: session.user.id, key, scope: login.app_scope(), login, session, org_scope }
    }
}

/// Binds bytes to their associated data; no cryptography, which is crate `connect`'s.
#[derive(Debug)]
pub(crate) struct TestSealer;

impl Sealer for TestSealer {
    fn seal(&self, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = Sha256::digest(associated).to_vec();
        sealed.extend(plain.iter().map(|byte| byte ^ 0x5a));
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        let (bound, body) = sealed.split_at_checked(32).ok_or_else(|| SealError("too short".to_owned()))?;
        if bound != Sha256::digest(associated).as_slice() {
            return Err(SealError("sealed for something else".to_owned()));
        }
        Ok(body.iter().map(|byte| byte ^ 0x5a).collect())
    }
}

impl World {
    /// A fresh world on every engine at hand.
    pub(crate) async fn each() -> Vec<Self> {
        Self::each_with(|_| {}).await
    }

    /// As [`Self::each`], with other options.
    pub(crate) async fn each_with(change: impl Fn(&mut Options)) -> Vec<Self> {
        let mut worlds = vec![Self::start(Engine::Sqlite, sqlite_clone().await, &change).await];
        if let Some(server) = server() {
            let url = postgres_clone(&server).await;
            let folder = tempfile::tempdir().unwrap();
            worlds.push(Self::start(Engine::Postgres, (folder, url), &change).await);
        }
        worlds
    }

    async fn start(engine: Engine, (folder, url): (TempDir, String), change: &impl Fn(&mut Options)) -> Self {
        let clock = Arc::new(MockClock::default());
        let mut options = options(&url, folder.path().join("blobs"));
        options.clock = clock.clone();
        options.connections = 4;
        // Tests flush by hand.
        options.last_used_every = Duration::from_hours(1);
        change(&mut options);
        Self { engine, store: Store::connect(options).await.unwrap(), clock, url, folder }
    }

    /// A second node on the same database.
    pub(crate) async fn another_node(&self) -> Store {
        self.another_node_with(|_| {}).await
    }

    /// As [`Self::another_node`], with other options.
    pub(crate) async fn another_node_with(&self, change: impl FnOnce(&mut Options)) -> Store {
        let mut options = options(&self.url, self.folder.path().join("blobs"));
        options.clock = self.clock.clone();
        change(&mut options);
        Store::connect(options).await.unwrap()
    }

    /// A node of another process: nothing but the URL in common, and writes that a test lets fail.
    pub(crate) async fn node(url: &str, failpoints: Arc<store::failpoints::Failpoints>) -> Store {
        let folder = std::env::temp_dir().join(format!("appstrate-node-{}", std::process::id()));
        let mut options = options(url, folder);
        options.clock = Arc::new(MockClock::default());
        options.failpoints = failpoints;
        Store::connect(options).await.unwrap()
    }

    /// The database itself, as the owner of the tables.
    pub(crate) async fn raw(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.unwrap()
    }

    /// Waits until a statement in this world's database waits for a lock. PostgreSQL only.
    pub(crate) async fn somebody_waits(&self) {
        let raw = self.raw().await;
        let sql = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
        loop {
            let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
            if row.try_get_by_index(0).unwrap() {
                return;
            }
        }
    }

    /// How many files the runs have among the blobs.
    pub(crate) fn blobs_of_runs(&self) -> usize {
        fn files(folder: &std::path::Path) -> usize {
            let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
            let count = |entry: std::fs::DirEntry| if entry.path().is_dir() { files(&entry.path()) } else { 1 };
            entries.map(|entry| count(entry.unwrap())).sum()
        }
        files(&self.folder.path().join("blobs/runs"))
    }

    /// Waits until every committed event may be read: on PostgreSQL an older transaction, also one of another test's database,
    /// hides later ones.
    pub(crate) async fn settle(&self) {
        if self.engine == Engine::Sqlite {
            return;
        }
        let raw = self.raw().await;
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM events WHERE transaction_id >= pg_snapshot_xmin(pg_current_snapshot()))";
        loop {
            let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
            if row.try_get_by_index(0).unwrap() {
                return;
            }
        }
    }

    /// Waits until so many transactions wait for locks of others, on PostgreSQL. On SQLite they wait for their turn, where nobody sees
    /// them.
    pub(crate) async fn until_waiting(&self, expected: i64) {
        if self.engine == Engine::Sqlite {
            return;
        }
        let raw = self.raw().await;
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let wait = async {
            loop {
                let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
                if row.try_get_by_index::<i64>(0).unwrap() >= expected {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("they come to wait");
    }

    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let write = self.store.system().write(WriteContext::internal()).await.unwrap();
        let user = write.users().create(new_user(&format!("{name}@example.com"))).await.unwrap();
        let new = NewOrganization {
            name: name.to_owned(),
            slug: name.to_owned(),
            settings: Map::from_iter([("apiVersion".to_owned(), "2026-03-21".into())]),
            owner: user.id,
            application: "Default".to_owned(),
        };
        let (organization, application) = write.create_organization(new).await.unwrap();
        let token_hash = hash(&format!("session of {name}"));
        let expires_at = self.store.clock().now() + chrono::TimeDelta::days(7);
        write.sessions().create(NewSession { user: user.id, token_hash, expires_at, ip: None, user_agent: None }).await.unwrap();
        write.commit().await.unwrap();

        let system = self.store.system();
        let session = system.session_by_hash(&token_hash).await.unwrap().unwrap();
        let org_scope = system.membership(&session, organization.id).await.unwrap().unwrap().scope;
        let scope = system.application_scope(&org_scope, application.id, &session).await.unwrap().unwrap();
        let write = self.store.write(&scope, WriteContext::internal()).await.unwrap();
        write.api_keys().create(new_key(name, user.id)).await.unwrap();
        write.commit().await.unwrap();
        Tenant::find(&self.store, name).await
    }

    /// Creates an end-user and gives its scope.
    pub(crate) async fn end_user(&self, tenant: &Tenant, name: &str) -> (EndUserId, AppScope) {
        let write = self.store.write(&tenant.scope, WriteContext::internal()).await.unwrap();
        let new = NewEndUser { external_id: Some(name.to_owned()), name: Some(name.to_owned()), ..NewEndUser::default() };
        let end_user = write.end_users().create(new).await.unwrap();
        write.commit().await.unwrap();
        let login = self.store.system().key_by_id(tenant.key, Some(end_user.id)).await.unwrap().unwrap();
        (end_user.id, login.end_user_scope().unwrap())
    }
}

pub(crate) fn new_user(email: &str) -> NewUser {
    NewUser {
        realm: "platform".to_owned(),
        email: email.to_owned(),
        name: "Someone".to_owned(),
        email_verified: false,
        password_hash: Some(Secret::from("$argon2id$…")),
    }
}

pub(crate) fn new_key(secret: &str, created_by: UserId) -> NewApiKey {
    NewApiKey {
        name: "key".to_owned(),
        hash: hash(secret),
        prefix: "ask_1234".to_owned(),
        scopes: vec!["runs:read".to_owned()],
        created_by,
        expires_at: None,
    }
}

pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn options(url: &str, blobs: PathBuf) -> Options {
    Options::new(url, blobs, Arc::new(TestSealer))
}

#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

/// The Redis of the tests, where there is one.
#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
pub(crate) fn redis() -> Option<String> {
    std::env::var("TEST_REDIS_URL").ok()
}

/// A copy of one migrated file.
async fn sqlite_clone() -> (TempDir, String) {
    static TEMPLATE: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();
    let (_, template) = TEMPLATE
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("template.db");
            let store = Store::connect(options(&sqlite_url(&path), folder.path().join("blobs"))).await.unwrap();
            store.close().await.unwrap();
            (folder, path)
        })
        .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::copy(template, &path).unwrap();
    (folder, sqlite_url(&path))
}

fn sqlite_url(path: &std::path::Path) -> String {
    format!("sqlite://{}?mode=rwc", path.display())
}

/// A clone of one migrated database.
async fn postgres_clone(server: &str) -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("appstrate_template_{}", std::process::id());
            create_database(server, &name, None).await;
            let folder = tempfile::tempdir().unwrap();
            let store = Store::connect(options(&database_url(server, &name), folder.path().join("blobs"))).await.unwrap();
            store.close().await.unwrap();
            name
        })
        .await;
    let name = format!("appstrate_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    create_database(server, &name, Some(template)).await;
    database_url(server, &name)
}

async fn create_database(server: &str, name: &str, template: Option<&str>) {
    static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one = ONE_AT_A_TIME.lock().await;
    let connection = Database::connect(server).await.unwrap();
    connection.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
    let template = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
    connection.execute_unprepared(&format!("CREATE DATABASE {name}{template}")).await.unwrap();
    connection.close().await.unwrap();
}

fn database_url(server: &str, name: &str) -> String {
    let (before, _) = server.rsplit_once('/').expect("a database URL with a database");
    format!("{before}/{name}")
}
