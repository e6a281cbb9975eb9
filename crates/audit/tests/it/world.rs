//! A log of its own for each test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use audit::{AuditError, Options, Report, Sealer, Selection, SigningKey, Step};
use domain::mock::MockClock;
use domain::{AppId, AuditChain, OrgId, RequestId};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};
use serde_json::Map;
use store::{AppScope, AuditArchive, AuditFacts, NewOrganization, NewSession, NewUser, OrgScope, SealError, Store, WriteContext};
use tempfile::TempDir;

/// Binds bytes to their associated data and to a key; no cryptography, which is crate `connect`'s.
#[derive(Debug)]
pub(crate) struct Masters(pub(crate) u8);

pub(crate) const OURS: Masters = Masters(7);

impl store::Sealer for Masters {
    fn seal(&self, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok([&[self.0], associated, plain].concat())
    }

    fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        let body = sealed.strip_prefix(&[self.0]).and_then(|rest| rest.strip_prefix(associated));
        body.map(<[u8]>::to_vec).ok_or_else(|| SealError("sealed for something else, or by another key".to_owned()))
    }
}

/// One store, and what a test moves by hand.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) raw: DatabaseConnection,
    url: String,
    folder: TempDir,
}

/// An organization with its default application.
pub(crate) struct Tenant {
    pub(crate) org: OrgId,
    pub(crate) app: AppId,
    pub(crate) org_scope: OrgScope,
    pub(crate) scope: AppScope,
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

impl World {
    /// A fresh world on every engine at hand.
    pub(crate) async fn each() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("store.db").display());
        let mut worlds = vec![Self::on(url, folder).await];
        if let Some(server) = server() {
            worlds.push(Self::on(postgres(&server).await, tempfile::tempdir().unwrap()).await);
        }
        worlds
    }

    async fn on(url: String, folder: TempDir) -> Self {
        let clock = Arc::new(MockClock::default());
        let store = connect(&url, &folder, &clock).await;
        let raw = Database::connect(&url).await.unwrap();
        Self { store, clock, raw, url, folder }
    }

    /// A second node on the same database.
    pub(crate) async fn another_node(&self) -> Store {
        connect(&self.url, &self.folder, &self.clock).await
    }

    pub(crate) async fn sealer(&self, options: Options) -> Sealer {
        let key = SigningKey::open_or_create(&self.store, &OURS).await.unwrap();
        Sealer::new(self.store.clone(), key, options)
    }

    /// Seals all that is there.
    pub(crate) async fn seal(&self) {
        assert!(matches!(self.sealer(Options::default()).await.step().await.unwrap(), Step::Sealed { more: false, .. }));
        // The next sealer of the test is another holder.
        self.clock.advance(Options::default().lease);
    }

    pub(crate) async fn verify(&self, selection: Selection) -> Report {
        self.verify_with(selection, Some(&OURS)).await
    }

    pub(crate) async fn try_verify(&self, selection: Selection) -> Result<Report, AuditError> {
        let archive = AuditArchive::open(&self.url).await.unwrap();
        audit::verify(&archive, &selection, Some(&OURS)).await
    }

    pub(crate) async fn verify_with(&self, selection: Selection, masters: Option<&Masters>) -> Report {
        let archive = AuditArchive::open(&self.url).await.unwrap();
        audit::verify(&archive, &selection, masters.map(|masters| masters as &dyn store::Sealer)).await.unwrap()
    }

    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let write = self.store.system().write(WriteContext::internal()).await.unwrap();
        let new = NewUser {
            realm: "platform".to_owned(),
            email: format!("{name}@example.com"),
            name: name.to_owned(),
            email_verified: false,
            password_hash: None,
        };
        let owner = write.users().create(new).await.unwrap().id;
        let new = NewOrganization {
            name: name.to_owned(),
            slug: name.to_owned(),
            settings: Map::new(),
            owner,
            application: "Default".to_owned(),
        };
        let (organization, application) = write.create_organization(new).await.unwrap();
        let mut token_hash = [0; 32];
        self.store.ids().fill(&mut token_hash);
        let expires_at = self.store.clock().now() + std::time::Duration::from_hours(24);
        write.sessions().create(NewSession { user: owner, token_hash, expires_at, ip: None, user_agent: None }).await.unwrap();
        write.commit().await.unwrap();
        let system = self.store.system();
        let session = system.session_by_hash(&token_hash).await.unwrap().unwrap();
        let org_scope = system.membership(&session, organization.id).await.unwrap().unwrap().scope;
        let scope = system.application_scope(&org_scope, application.id, &session).await.unwrap().unwrap();
        Tenant { org: organization.id, app: application.id, org_scope, scope }
    }

    pub(crate) fn facts(&self) -> AuditFacts {
        AuditFacts {
            request: RequestId::new(self.store.ids()),
            key: None,
            user: None,
            end_user: None,
            permission: "runs:read".to_owned(),
            method: "GET".to_owned(),
            route: "/api/runs/{id}".to_owned(),
            subject: Some("run_x".to_owned()),
            path: "/api/runs/run_x".to_owned(),
            ip: Some("192.0.2.7".to_owned()),
            recorded: store::Recorded::default(),
            user_agent: Some("story/1".to_owned()),
        }
    }

    /// Rows of one application.
    pub(crate) async fn rows(&self, tenant: &Tenant, count: usize) {
        for _ in 0..count {
            self.store.system().append_audit(&tenant.scope, &self.facts(), None, 200).await.unwrap();
        }
    }

    /// Changes the database past the server; how many rows.
    pub(crate) async fn tamper(&self, sql: &str) -> u64 {
        self.raw.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
    }

    /// The first column of every row.
    pub(crate) async fn column(&self, sql: &str) -> Vec<String> {
        let rows = self.raw.query_all_raw(Statement::from_string(self.raw.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }
}

impl Tenant {
    pub(crate) fn chain(&self) -> AuditChain {
        AuditChain::Application(self.app)
    }
}

async fn connect(url: &str, folder: &TempDir, clock: &Arc<MockClock>) -> Store {
    let mut options = store::Options::new(url, folder.path().join("blobs"), Arc::new(OURS));
    options.clock = clock.clone();
    options.connections = 4;
    Store::connect(options).await.unwrap()
}

async fn postgres(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("appstrate_audit_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let connection = Database::connect(server).await.unwrap();
    connection.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    connection.close().await.unwrap();
    let (before, _) = server.rsplit_once('/').expect("a database URL with a database");
    format!("{before}/{name}")
}
