//! What goes with a deleted end-user, application or organization, and what stays: every table that names one has a declared fate.

use std::collections::BTreeMap;

use afps::PackageType;
use chrono::TimeDelta;
use domain::{AppId, EndUserId, OrgId, RequestId, RunId};
use sea_orm::{ConnectionTrait as _, Statement, TransactionTrait as _};
use store::{
    AppScope, Appended, ApplicationDeletion, AuditFacts, Claimed, DataKeyOwner, Holder, IdempotencyKey, NewApplication, NewDataKey,
    NewEvent, NewInstallation, NewStreamTicket, Opened, OrganizationDeletion, Store, TicketMaker, WriteContext,
};

use wire::run_event::RunEvent;

use crate::world::{Engine, Tenant, World, hash, new_key};

/// Tables whose rows of an end-user go with it: the table in docs/reference/end-users.md.
const GO_WITH_END_USER: [&str; 11] = [
    "connections",
    "data_keys",
    "events",
    "idempotency_records",
    "jobs",
    "memories",
    "profiles",
    "run_specs",
    "run_states",
    "runs",
    "stream_tickets",
];

/// Tables whose rows of an end-user stay: what was spent, and who did what.
const STAY_WITHOUT_END_USER: [&str; 2] = ["audit_entries", "ledger_entries"];

/// The table whose rows outlive their application and organization.
const EVIDENCE: &str = "audit_entries";

fn tables_with(column: &str) -> Vec<String> {
    let mapped = store::inspect::mapped().into_iter().filter(|table| table.columns.iter().any(|name| name == column));
    let mut names: Vec<_> = mapped.map(|table| table.name).collect();
    names.sort();
    names
}

/// How many rows each of the tables has that name `id` in `column`.
async fn counts(world: &World, column: &str, id: &str) -> BTreeMap<String, i64> {
    let raw = world.raw().await;
    let mut counts = BTreeMap::new();
    for table in tables_with(column) {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = $1");
        let row = raw.query_one_raw(Statement::from_sql_and_values(raw.get_database_backend(), sql, [id.into()])).await.unwrap().unwrap();
        counts.insert(table, row.try_get_by_index(0).unwrap());
    }
    raw.close().await.unwrap();
    counts
}

fn filled(counts: &BTreeMap<String, i64>) -> Vec<&str> {
    counts.iter().filter(|(_, count)| **count > 0).map(|(table, _)| table.as_str()).collect()
}

async fn context(store: &Store, (org, app): (OrgId, Option<AppId>), end_user: Option<EndUserId>, key: &str) -> WriteContext {
    let text = |text: &str| text.to_owned();
    let facts = AuditFacts {
        request: RequestId::new(store.ids()),
        key: None,
        user: None,
        end_user,
        permission: text("x:write"),
        method: text("POST"),
        route: text("/x"),
        subject: None,
        path: text("/x"),
        ip: None,
        user_agent: None,
        recorded: store::Recorded::default(),
    };
    let (method, path, principal) = (text("POST"), text("/x"), text("usr_1"));
    let key = IdempotencyKey { key: text(key), org: Some(org), app, method, path, fingerprint: [1; 32], principal };
    let Claimed::Fresh(claim) = store.claim(&key).await.unwrap() else { panic!("a key of its own") };
    WriteContext::of(facts).under(Some(claim))
}

/// An end-user with rows in every table that an end-user can have rows in, its last run ended.
async fn full_end_user(world: &World, tenant: &Tenant, name: &str) -> (EndUserId, AppScope) {
    let (id, scope) = world.end_user(tenant, name).await;
    crate::runs::tenancy::lived(&world.store, &scope).await;
    crate::vault::connect_to(world, &scope, Holder::EndUser(id), "@acme/crm").await.unwrap();
    let key = NewDataKey { id: format!("key of {name}"), master_key: "m1".to_owned(), sealed: vec![7] };
    world.store.system().ensure_data_key(&DataKeyOwner::end_user(&scope, id), key).await.unwrap();
    let write = world
        .store
        .begin_write(&scope, context(&world.store, (scope.org(), Some(scope.app())), Some(id), name).await)
        .await
        .unwrap()
        .fresh()
        .unwrap();
    let event = NewEvent { kind: "x".to_owned(), subject: id.to_string(), end_user: Some(id), run: None, data: serde_json::Value::Null };
    write.emit(event).await.unwrap();
    let ticket = NewStreamTicket {
        token_hash: hash(&format!("ticket of {name}")),
        maker: TicketMaker::Key(tenant.key),
        expires_at: world.store.clock().now() + TimeDelta::seconds(60),
    };
    write.stream_tickets().create(ticket).await.unwrap();
    write.reply(200, None).await.unwrap();
    (id, scope)
}

/// A run with an event too large for its row, ended.
async fn talkative_run(world: &World, scope: &AppScope) -> RunId {
    let (claimed, seq) = crate::runs::a_running_run(&world.store, scope).await;
    crate::runs::append(&world.store, &claimed.lease, seq, &[crate::runs::log(&LARGE.repeat(10_000))]).await;
    crate::runs::finish(&world.store, &claimed).await;
    claimed.spec.run
}

const LARGE: &str = "private ";

#[tokio::test]
async fn large_events_go_with_their_run_and_with_nobody_elses() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let (ada, as_ada) = world.end_user(&acme, "ada").await;
        let (_, as_bob) = world.end_user(&acme, "bob").await;
        // All of them say the same.
        for scope in [&as_ada, &as_ada, &acme.scope, &globex.scope] {
            talkative_run(&world, scope).await;
        }
        let of_bob = talkative_run(&world, &as_bob).await;
        assert_eq!((world.blobs_of_runs(), world.store.system().delete_leftovers().await.unwrap()), (5, 0));

        // A deletion that is rolled back has deleted nothing.
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(ada).await.unwrap());
        drop(write);
        assert_eq!(world.store.system().delete_leftovers().await.unwrap(), 0);
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(ada).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!((world.store.system().delete_leftovers().await.unwrap(), world.blobs_of_runs()), (2, 3));
        let read = world.store.read(&as_bob).await.unwrap();
        let large = read.run_events().after(of_bob, 2, 1).await.unwrap().remove(0);
        drop(read);
        let RunEvent::Log { message, .. } = world.store.whole_event(large.data).await.unwrap() else { panic!("a log line") };
        assert!(message.starts_with(LARGE), "another end-user's run that says the same keeps it");

        // An application that cascades, and an organization.
        let raw = world.raw().await;
        raw.execute_unprepared(&format!("DELETE FROM applications WHERE id = '{}'", acme.app)).await.unwrap();
        let write = world.store.write(&globex.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.delete_organization().await.unwrap(), OrganizationDeletion::Done);
        write.commit().await.unwrap();
        assert_eq!((world.store.system().delete_leftovers().await.unwrap(), world.blobs_of_runs()), (3, 0), "{:?}", world.engine);
        assert_eq!(world.store.system().delete_leftovers().await.unwrap(), 0, "the list is empty");
    }
}

#[tokio::test]
async fn what_a_worker_puts_down_after_the_deletion_goes_too() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (ada, as_ada) = world.end_user(&acme, "ada").await;
        let (claimed, seq) = crate::runs::a_running_run(&world.store, &as_ada).await;
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(ada).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!(world.store.system().delete_leftovers().await.unwrap(), 1);
        let late = [crate::runs::log(&LARGE.repeat(10_000))];
        assert_eq!(world.store.system().append_to_run(&claimed.lease, seq, &late).await.unwrap(), Appended::LeaseLost);
        assert_eq!((world.store.system().delete_leftovers().await.unwrap(), world.blobs_of_runs()), (1, 0), "{:?}", world.engine);
    }
}

/// A worker that is writing an event holds the run's row; the deletion waits for it, and takes what it has written.
#[tokio::test]
async fn an_event_that_commits_during_the_deletion_does_not_survive_it() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let acme = world.tenant("acme").await;
        let (ada, as_ada) = world.end_user(&acme, "ada").await;
        let (claimed, _) = crate::runs::a_running_run(&world.store, &as_ada).await;
        let run = claimed.spec.run;
        let writing = world.raw().await.begin().await.unwrap();
        writing.execute_unprepared(&format!("UPDATE runs SET next_seq = next_seq + 1 WHERE id = '{run}'")).await.unwrap();
        let (store, scope) = (world.store.clone(), acme.scope);
        let deletion = tokio::spawn(async move {
            let write = store.write(&scope, WriteContext::internal()).await.unwrap();
            assert!(write.end_users().delete(ada).await.unwrap());
            write.commit().await.unwrap();
        });
        world.somebody_waits().await;
        let event = format!(
            "INSERT INTO events (id, org_id, app_id, end_user_id, kind, subject, run_id, seq, data, created_at)
             SELECT 'evt_late', org_id, app_id, end_user_id, kind, subject, run_id, 99, data, created_at FROM events WHERE run_id = '{run}' LIMIT 1"
        );
        assert_eq!(writing.execute_unprepared(&event).await.unwrap().rows_affected(), 1);
        writing.commit().await.unwrap();
        deletion.await.unwrap();
        assert_eq!(counts(&world, "end_user_id", &ada.to_string()).await["events"], 0);
    }
}

#[test]
fn every_table_that_names_an_end_user_has_a_fate() {
    let mut declared: Vec<_> = GO_WITH_END_USER.into_iter().chain(STAY_WITHOUT_END_USER).collect();
    declared.sort_unstable();
    assert_eq!(tables_with("end_user_id"), declared, "declare the fate here and in docs/reference/end-users.md");
}

#[tokio::test]
async fn an_end_user_takes_its_own_along_and_nobody_inherits_anything() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        crate::catalog::package(&world, &acme, "@acme/crm", PackageType::Provider).await;
        let (ada, as_ada) = full_end_user(&world, &acme, "ada").await;
        let (bob, _) = full_end_user(&world, &acme, "bob").await;
        // A run that waits has a job, and does not hold the deletion up.
        crate::runs::a_run(&world.store, &as_ada).await;
        let of_bob = counts(&world, "end_user_id", &bob.to_string()).await;
        let before = counts(&world, "end_user_id", &ada.to_string()).await;
        let tables = tables_with("end_user_id");
        assert_eq!(filled(&before), tables, "{:?}: a table in which nothing could stay behind", world.engine);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(ada).await.unwrap());
        write.commit().await.unwrap();

        let after = counts(&world, "end_user_id", &ada.to_string()).await;
        assert_eq!(filled(&after), STAY_WITHOUT_END_USER, "{:?}", world.engine);
        assert_eq!(counts(&world, "end_user_id", &bob.to_string()).await, of_bob, "the other one keeps everything");
        let raw = world.raw().await;
        for table in tables {
            let sql = format!("SELECT count(*) FROM {table} WHERE end_user_id IS NULL");
            let row = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap().unwrap();
            assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0, "{:?}: {table} has a row of nobody", world.engine);
        }
        let sql = "SELECT active FROM run_activity";
        let row = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0, "the run that waited no longer counts");
    }
}

#[tokio::test]
async fn an_application_takes_every_row_along_but_its_audit_rows() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        crate::catalog::package(&world, &acme, "@acme/crm", PackageType::Provider).await;
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let new = NewApplication { name: "Second".to_owned(), settings: serde_json::Map::new(), created_by: acme.owner };
        let second = write.create_application(new).await.unwrap().id;
        write.commit().await.unwrap();
        let system = world.store.system();
        let inside = system.application_scope(&acme.org_scope, second, &acme.session).await.unwrap().unwrap();
        let write = world.store.write(&inside, WriteContext::internal()).await.unwrap();
        write.api_keys().create(new_key("second", acme.owner)).await.unwrap();
        write.commit().await.unwrap();
        let login = system.key_by_hash(&crate::world::hash("second"), None).await.unwrap().unwrap();
        let tenant = Tenant { app: second, scope: login.app_scope(), key: login.key, login, ..acme };
        full_end_user(&world, &tenant, "ada").await;
        let exit = crate::proxies::proxy(&world, &tenant, "exit").await;
        let write = world.store.write(&tenant.scope, WriteContext::internal()).await.unwrap();
        let crm = crate::catalog::name("@acme/crm");
        write.installations().create(NewInstallation::of(crm.clone())).await.unwrap().unwrap();
        write.installations().update(&crm, crate::proxies::to(Some(crate::proxies::through(&exit)))).await.unwrap().unwrap();
        write.commit().await.unwrap();
        let waiting = crate::runs::a_run(&world.store, &tenant.scope).await;
        let before = counts(&world, "app_id", &second.to_string()).await;
        let shared = ["api_keys", "end_users", "installations", "proxy_uses", "run_totals"];
        for table in shared.into_iter().chain(GO_WITH_END_USER).chain(STAY_WITHOUT_END_USER) {
            assert!(before[table] > 0, "{:?}: nothing in {table} could stay behind", world.engine);
        }

        let write = world.store.write(&tenant.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.delete_application(second).await.unwrap(), ApplicationDeletion::HasActiveRuns);
        drop(write);
        let write = world.store.write(&tenant.scope, WriteContext::internal()).await.unwrap();
        write.runs().request_cancel(waiting.id).await.unwrap();
        write.commit().await.unwrap();
        let write = world.store.write(&tenant.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.delete_application(second).await.unwrap(), ApplicationDeletion::Done);
        write.commit().await.unwrap();

        let after = counts(&world, "app_id", &second.to_string()).await;
        assert_eq!(filled(&after), [EVIDENCE], "{:?}", world.engine);
        assert!(world.store.system().key_by_hash(&crate::world::hash("second"), None).await.unwrap().is_none());
        assert!(
            world.store.system().key_by_hash(&crate::world::hash("acme"), None).await.unwrap().is_some(),
            "the default application works on"
        );
    }
}

#[tokio::test]
async fn an_organization_takes_every_row_along_and_answers_under_an_idempotency_key() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        crate::catalog::package(&world, &acme, "@acme/crm", PackageType::Provider).await;
        full_end_user(&world, &acme, "ada").await;
        let waiting = crate::runs::a_run(&world.store, &acme.scope).await;
        let exit = crate::proxies::proxy(&world, &acme, "exit").await;
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        write.proxies().set_default(Some(&crate::proxies::through(&exit))).await.unwrap();
        write.commit().await.unwrap();
        let of_globex = counts(&world, "org_id", &globex.org.to_string()).await;

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.delete_organization().await.unwrap(), OrganizationDeletion::HasActiveRuns);
        drop(write);
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        write.runs().request_cancel(waiting.id).await.unwrap();
        write.commit().await.unwrap();
        let opened = world
            .store
            .begin_write(&acme.org_scope, context(&world.store, (acme.org_scope.org(), None), None, "delete").await)
            .await
            .unwrap();
        let Opened::Fresh(write) = opened else { panic!("{opened:?}") };
        assert_eq!(write.delete_organization().await.unwrap(), OrganizationDeletion::Done);
        write.reply(204, None).await.unwrap();

        let after = counts(&world, "org_id", &acme.org.to_string()).await;
        assert_eq!(filled(&after), [EVIDENCE], "{:?}", world.engine);
        assert_eq!(counts(&world, "org_id", &globex.org.to_string()).await, of_globex);
        assert!(world.store.read(&acme.org_scope).await.unwrap().organization().get().await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_run_slips_into_an_application_that_is_being_deleted() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for _ in 0..if world.engine == Engine::Postgres { 20 } else { 3 } {
            let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
            let new = NewApplication { name: "Short".to_owned(), settings: serde_json::Map::new(), created_by: acme.owner };
            let id = write.create_application(new).await.unwrap().id;
            write.commit().await.unwrap();
            let inside = world.store.system().application_scope(&acme.org_scope, id, &acme.session).await.unwrap().unwrap();
            let (store, new) = (world.store.clone(), crate::runs::new_run(&inside));
            let start = tokio::spawn(async move {
                let write = store.write(&inside, WriteContext::internal()).await?;
                write.runs().create(&new, 1_000).await?.expect("there is room");
                write.commit().await
            });
            let (store, scope) = (world.store.clone(), acme.org_scope);
            let delete = tokio::spawn(async move {
                let write = store.write(&scope, WriteContext::internal()).await?;
                let deletion = write.delete_application(id).await?;
                write.commit().await.map(|()| deletion)
            });
            let (started, deleted) = (start.await.unwrap(), delete.await.unwrap());
            let runs = counts(&world, "app_id", &id.to_string()).await["runs"];
            match deleted {
                Ok(ApplicationDeletion::Done) => assert!(started.is_err() && runs == 0, "{started:?}, {runs}"),
                Ok(ApplicationDeletion::HasActiveRuns) => assert!(started.is_ok() && runs == 1, "{started:?}, {runs}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
