//! Tenants and end-users never see each other's rows: through the repositories, and on PostgreSQL also without their filters.

use afps::PackageType;
use domain::{AppId, EndUserId, OrgId};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};
use store::{AppScope, EndUserChange, EndUserFilter, EventCursor, Holder, NewEvent, OrgScope, Page, Store, StoreError, WriteContext};

use crate::world::{Engine, World};

fn event(kind: &str) -> NewEvent {
    NewEvent { kind: kind.to_owned(), subject: "eu_x".to_owned(), end_user: None, run: None, data: serde_json::Value::Null }
}

/// All that a scope of one application can list, as text.
async fn everything(world: &World, scope: &AppScope) -> Vec<String> {
    world.settle().await;
    let read = world.store.read(scope).await.unwrap();
    let mut seen = Vec::new();
    let end_users = read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap();
    seen.extend(end_users.items.into_iter().map(|row| row.id.to_string()));
    seen.extend(read.api_keys().list(Page::FIRST).await.unwrap().items.into_iter().map(|row| row.id.to_string()));
    seen.extend(read.applications().list(Page::FIRST).await.unwrap().items.into_iter().map(|row| row.id.to_string()));
    seen.extend(read.organization().get().await.unwrap().map(|row| row.id.to_string()));
    seen.extend(read.audit_log(Page::FIRST).await.unwrap().items.into_iter().map(|row| row.id.to_string()));
    seen.extend(read.events().after(EventCursor::START, 100).await.unwrap().into_iter().map(|(_, row)| row.id.to_string()));
    seen
}

async fn members(store: &Store, scope: &OrgScope) -> Vec<String> {
    let read = store.read(scope).await.unwrap();
    read.members().list(Page::FIRST).await.unwrap().items.into_iter().map(|member| member.user.to_string()).collect()
}

async fn emit(store: &Store, scope: &AppScope, kind: &str) {
    let write = store.write(scope, WriteContext::internal()).await.unwrap();
    write.emit(event(kind)).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn two_tenants_share_nothing() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let (ada, _) = world.end_user(&acme, "ada").await;
        let (bob, _) = world.end_user(&globex, "bob").await;
        emit(&world.store, &acme.scope, "acme.event").await;
        emit(&world.store, &globex.scope, "globex.event").await;

        let (of_acme, of_globex) = (everything(&world, &acme.scope).await, everything(&world, &globex.scope).await);
        assert_eq!((of_acme.len(), of_globex.len()), (5, 5), "{of_acme:?} {of_globex:?}");
        assert!(of_acme.iter().all(|id| !of_globex.contains(id)));
        assert_eq!(members(&world.store, &acme.org_scope).await, [acme.owner.to_string()]);

        let read = world.store.read(&acme.scope).await.unwrap();
        assert!(read.end_users().get(ada).await.unwrap().is_some());
        assert!(read.end_users().get(bob).await.unwrap().is_none());
        assert!(read.api_keys().get(globex.key).await.unwrap().is_none());
        assert!(read.applications().get(globex.app).await.unwrap().is_none());
        drop(read);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().update(bob, EndUserChange::default()).await.unwrap().is_none());
        assert!(!write.end_users().delete(bob).await.unwrap());
        assert!(!write.api_keys().revoke(globex.key).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!(everything(&world, &globex.scope).await, of_globex);
    }
}

#[tokio::test]
async fn two_end_users_of_one_application_share_only_its_settings() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let ((ada, as_ada), (bob, as_bob)) = (world.end_user(&acme, "ada").await, world.end_user(&acme, "bob").await);
        emit(&world.store, &as_ada, "ada.event").await;
        emit(&world.store, &as_bob, "bob.event").await;
        emit(&world.store, &acme.scope, "application.event").await;

        let (of_ada, of_bob) = (everything(&world, &as_ada).await, everything(&world, &as_bob).await);
        let shared: Vec<_> = of_ada.iter().filter(|id| of_bob.contains(id)).collect();
        assert_eq!(shared, [&acme.key.to_string(), &acme.app.to_string(), &acme.org.to_string()]);
        assert!(of_ada.contains(&ada.to_string()) && of_bob.contains(&bob.to_string()));
        assert_eq!((of_ada.len(), of_bob.len()), (5, 5), "itself, its event, and the three settings");
        assert_eq!(everything(&world, &acme.scope).await.len(), 8, "the application sees all");

        let write = world.store.write(&as_ada, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().update(bob, EndUserChange::default()).await.unwrap().is_none());
        assert!(!write.end_users().delete(bob).await.unwrap());
    }
}

const UNLOCKED: [&str; 7] = ["end_users", "api_keys", "applications", "organizations", "members", "events", "audit_entries"];

#[tokio::test]
async fn without_our_filters_row_level_security_still_holds() {
    for world in World::each_with(|options| options.unlocked = UNLOCKED.to_vec()).await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let ((ada, as_ada), (bob, _)) = (world.end_user(&acme, "ada").await, world.end_user(&globex, "bob").await);
        let (eve, _) = world.end_user(&acme, "eve").await;
        let seen = |scope: AppScope| {
            let store = world.store.clone();
            async move {
                let read = store.read(&scope).await.unwrap();
                let page = read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap();
                let mut ids: Vec<EndUserId> = page.items.into_iter().map(|row| row.id).collect();
                ids.sort_unstable();
                (ids, read.organization().get().await.unwrap().unwrap().id, read.api_keys().list(Page::FIRST).await.unwrap().total)
            }
        };
        let mut all = vec![ada, bob, eve];
        all.sort_unstable();
        if world.engine == Engine::Sqlite {
            // The proof that the filters are really gone: on SQLite nothing is left behind them.
            assert_eq!(seen(acme.scope).await.0, all);
            continue;
        }
        let mut own = vec![ada, eve];
        own.sort_unstable();
        assert_eq!(seen(acme.scope).await, (own, acme.org, 1));
        assert_eq!(seen(as_ada).await, (vec![ada], acme.org, 1));
        assert_eq!(members(&world.store, &acme.org_scope).await, [acme.owner.to_string()]);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(!write.end_users().delete(bob).await.unwrap());
        assert!(write.end_users().update(bob, EndUserChange::default()).await.unwrap().is_none());
        drop(write);
    }
}

#[tokio::test]
async fn an_insert_for_another_tenant_fails_without_our_stamp() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let raw = world.raw().await;
        let sql = format!(
            "BEGIN; SELECT set_config('app.org', '{}', true), set_config('app.app', '{}', true), set_config('app.reach', 'application', true),
                    set_config('role', 'appstrate_tenant', true);
             INSERT INTO end_users (id, org_id, app_id, metadata, created_at, updated_at) VALUES ('eu_1', '{}', '{}', '{{}}', 1, 1); COMMIT",
            acme.org, acme.app, globex.org, globex.app
        );
        let error = raw.execute_unprepared(&sql).await.unwrap_err().to_string();
        assert!(error.contains("row-level security"), "{error}");
    }
}

#[tokio::test]
async fn a_tenant_adds_to_the_audit_log_and_never_changes_it() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let acme = world.tenant("acme").await;
        let write = world.store.write(&acme.scope, WriteContext::of(crate::records::facts(&world, &acme))).await.unwrap();
        write.commit().await.unwrap();
        let raw = world.raw().await;
        let enter = format!(
            "SELECT set_config('app.org', '{}', true), set_config('app.app', '{}', true), set_config('app.reach', 'application', true),
                    set_config('role', 'appstrate_tenant', true)",
            acme.org, acme.app
        );
        let insert = |columns: &str, values: &str| {
            format!(
                "INSERT INTO audit_entries (id, org_id, app_id, request_id, permission, method, route, path, detail, created_at{columns})
                 VALUES ('aud_1', '{}', '{}', 'req_1', '', '', '', '', 'null', 1{values})",
                acme.org, acme.app
            )
        };
        for sql in [
            "UPDATE audit_entries SET ip = '192.0.2.99'",
            "DELETE FROM audit_entries",
            "TRUNCATE audit_entries",
            &insert(", chain, seal, position", ", 'app_1', 1, 1"),
            "INSERT INTO audit_seals SELECT * FROM audit_seals",
            "UPDATE audit_seals SET number = 7",
            "DELETE FROM audit_seals",
            "SELECT * FROM audit_keys",
            "SELECT * FROM leases",
        ] {
            let transaction = raw.begin().await.unwrap();
            transaction.execute_unprepared(&enter).await.unwrap();
            let error = transaction.execute_unprepared(sql).await.unwrap_err().to_string();
            assert!(error.contains("permission denied"), "{sql}: {error}");
        }
        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.audit_log(Page::FIRST).await.unwrap().total, 1);
    }
}

/// Counts rows as the tenants' role sees them, with SQL that filters nothing but what must not be seen.
async fn count(world: &World, settings: &[(&str, String)], table: &str, hidden: &str) -> i64 {
    let raw = world.raw().await;
    let transaction = raw.begin().await.unwrap();
    for (name, value) in settings {
        let values = [(*name).into(), value.as_str().into()];
        let set = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT set_config($1, $2, true)", values);
        transaction.execute_raw(set).await.unwrap();
    }
    let sql = format!("SELECT count(*) FROM {table} WHERE {hidden}");
    let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn row_level_security_hides_every_table_by_itself() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let ((ada, as_ada), (bob, as_bob)) = (world.end_user(&acme, "ada").await, world.end_user(&acme, "bob").await);
        crate::catalog::package(&world, &acme, "@acme/crm", PackageType::Provider).await;
        for (scope, holder) in [(&as_ada, Holder::EndUser(ada)), (&as_bob, Holder::EndUser(bob)), (&acme.scope, Holder::Application)] {
            emit(&world.store, scope, "x").await;
            crate::vault::connect_to(&world, scope, holder, "@acme/crm").await.unwrap();
        }
        let enter = |org: OrgId, app: AppId, reach: &str, end_user: String| {
            let role = ("role", "appstrate_tenant".to_owned());
            [("app.org", org.to_string()), ("app.app", app.to_string()), ("app.reach", reach.to_owned()), ("app.end_user", end_user), role]
        };
        let platform = [("role", "none".to_owned())];
        let filled =
            ["applications", "members", "api_keys", "end_users", "events", "packages", "package_versions", "profiles", "connections"];
        for table in store::inspect::declared().into_iter().filter(|table| table.tenancy.is_some()) {
            let org = if table.name == "organizations" { "id" } else { "org_id" };
            let of_acme = format!("{org} = '{}'", acme.org);
            if filled.contains(&table.name) {
                assert!(count(&world, &platform, table.name, &of_acme).await > 0, "{}: nothing to hide", table.name);
            }
            for reach in ["organization", "application", "member", "end_user", "run"] {
                let settings = enter(globex.org, globex.app, reach, ada.to_string());
                assert_eq!(count(&world, &settings, table.name, &of_acme).await, 0, "{} as {reach}", table.name);
            }
            let settings = enter(acme.org, acme.app, "nonsense", String::new());
            let is_private = table
                .tenancy
                .as_deref()
                .is_some_and(|tenancy| ["Private", "Memory", "Held", "Trace", "Log"].iter().any(|class| tenancy.starts_with(class)));
            if is_private {
                assert_eq!(count(&world, &settings, table.name, "true").await, 0, "{} with an unknown reach", table.name);
                let own = if table.name == "end_users" { "id" } else { "end_user_id" };
                let settings = enter(acme.org, acme.app, "end_user", ada.to_string());
                let of_others = format!("{own} IS DISTINCT FROM '{ada}'");
                assert_eq!(count(&world, &settings, table.name, &of_others).await, 0, "{} of another end-user", table.name);
            }
        }
    }
}

#[tokio::test]
async fn a_reference_to_another_tenants_application_is_impossible() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let raw = world.raw().await;
        let sql = format!(
            "INSERT INTO end_users (id, org_id, app_id, metadata, created_at, updated_at) VALUES ('eu_1', '{}', '{}', '{{}}', 1, 1)",
            acme.org, globex.app
        );
        let error = StoreError::from(raw.execute_unprepared(&sql).await.unwrap_err());
        assert!(matches!(error, StoreError::Reference { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_role_is_left_with_the_transaction() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let acme = world.tenant("acme").await;
        // Each connection of the pool serves a tenant and then the platform.
        for _ in 0..8 {
            drop(world.store.read(&acme.scope).await.unwrap());
            assert!(world.store.system().session_by_hash(&crate::world::hash("session of acme")).await.unwrap().is_some());
        }
        let raw = world.raw().await;
        let unset = "SELECT count(*) FROM (SELECT set_config('role', 'appstrate_tenant', false)) AS entered, end_users";
        let row = raw.query_one_raw(Statement::from_string(sea_orm::DbBackend::Postgres, unset)).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0, "without settings the role sees nothing");
    }
}
