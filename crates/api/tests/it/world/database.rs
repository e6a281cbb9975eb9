//! Databases from a migrated template, so that a world takes milliseconds.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use store::Store;
use tokio::sync::OnceCell;

/// An engine, and how to reach it.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite,
    Postgres { server: String },
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

impl Database {
    pub(crate) fn preferred() -> Self {
        server().map_or(Self::Sqlite, |server| Self::Postgres { server })
    }

    pub(crate) fn all() -> Vec<Self> {
        [Some(Self::Sqlite), server().map(|server| Self::Postgres { server })].into_iter().flatten().collect()
    }

    /// The URL of a fresh database; a file in `folder` where the engine has files.
    pub(crate) async fn clone_into(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite => sqlite(folder).await,
            Self::Postgres { server } => postgres(server).await,
        }
    }
}

async fn migrate(url: &str, folder: &Path) {
    Store::connect(super::store_options(url, folder)).await.unwrap().close().await.unwrap();
}

/// Names what the templates were made by: another build has other migrations.
fn build() -> String {
    let program = std::fs::metadata(std::env::current_exe().unwrap()).unwrap();
    let age = program.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{:x}_{:x}", age.as_nanos(), program.len())
}

fn file_url(path: &Path) -> String {
    format!("sqlite://{}?mode=rwc", path.display())
}

async fn sqlite(folder: &Path) -> String {
    static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();
    let template = TEMPLATE.get_or_init(sqlite_template).await;
    let path = folder.join("store.db");
    std::fs::copy(template, &path).unwrap();
    file_url(&path)
}

/// The migrated file, shared by the processes of one test run. It appears whole, under its final name.
async fn sqlite_template() -> PathBuf {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = shared.join(format!("api-template-{}.db", build()));
    if path.exists() {
        return path;
    }
    std::fs::create_dir_all(shared).unwrap();
    for outdated in
        std::fs::read_dir(shared).unwrap().flatten().filter(|file| file.file_name().to_string_lossy().starts_with("api-template-"))
    {
        if outdated.path() != path {
            std::fs::remove_file(outdated.path()).ok();
        }
    }
    let folder = tempfile::tempdir_in(shared).unwrap();
    let made = folder.path().join("template.db");
    migrate(&file_url(&made), folder.path()).await;
    std::fs::rename(&made, &path).unwrap();
    path
}

async fn postgres(server: &str) -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let template = TEMPLATE.get_or_init(|| postgres_template(server)).await;
    let name = format!("appstrate_api_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let mut connection = PgConnection::connect(server).await.unwrap();
    lock(&mut connection).await;
    execute(&mut connection, format!("DROP DATABASE IF EXISTS {name}")).await;
    execute(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    connection.close().await.unwrap();
    database_url(server, &name)
}

async fn postgres_template(server: &str) -> String {
    let name = format!("appstrate_api_{}", build());
    let mut connection = PgConnection::connect(server).await.unwrap();
    lock(&mut connection).await;
    let found: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1").bind(&name).fetch_optional(&mut connection).await.unwrap();
    if found.is_none() {
        let unfinished = format!("{name}_unfinished");
        execute(&mut connection, format!("DROP DATABASE IF EXISTS {unfinished}")).await;
        execute(&mut connection, format!("CREATE DATABASE {unfinished}")).await;
        let folder = tempfile::tempdir().unwrap();
        migrate(&database_url(server, &unfinished), folder.path()).await;
        execute(&mut connection, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
    }
    connection.close().await.unwrap();
    name
}

/// One at a time, also among processes: a template with a second user cannot be cloned. Held until the connection closes.
async fn lock(connection: &mut PgConnection) {
    sqlx::query("SELECT pg_advisory_lock(4021)").execute(connection).await.unwrap();
}

async fn execute(connection: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

fn database_url(server: &str, name: &str) -> String {
    let (before, _) = server.rsplit_once('/').expect("a database URL with a database");
    format!("{before}/{name}")
}
