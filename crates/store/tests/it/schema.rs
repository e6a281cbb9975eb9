//! Both engines have the same tables, and each table says whose its rows are.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use store::inspect;

use crate::world::{Engine, World};

/// Only there for PostgreSQL's readers of many runs.
const ONLY_ON_POSTGRES: [(&str, &str); 1] = [("events", "transaction_id")];

async fn rows(raw: &DatabaseConnection, sql: &str) -> Vec<Vec<String>> {
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    let width = |row: &sea_orm::QueryResult| row.column_names().len();
    rows.iter().map(|row| (0..width(row)).map(|index| row.try_get_by_index::<String>(index).unwrap()).collect()).collect()
}

/// Table → columns, without the list of migrations.
async fn columns(world: &World) -> BTreeMap<String, BTreeSet<String>> {
    let sql = match world.engine {
        Engine::Sqlite => {
            "SELECT m.name, c.name || CASE c.\"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END FROM sqlite_master m, pragma_table_info(m.name) c
              WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'seaql_migrations'"
        }
        Engine::Postgres => {
            "SELECT table_name::text, column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END FROM information_schema.columns
              WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'"
        }
    };
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(&world.raw().await, sql).await {
        let (table, column) = (row[0].clone(), row[1].clone());
        let name = column.split(' ').next().unwrap_or_default();
        if world.engine == Engine::Postgres && ONLY_ON_POSTGRES.contains(&(table.as_str(), name)) {
            continue;
        }
        tables.entry(table).or_default().insert(column);
    }
    tables
}

#[tokio::test]
async fn both_engines_have_the_tables_and_columns_that_the_entities_map() {
    let mut all = Vec::new();
    for world in World::each().await {
        let tables = columns(&world).await;
        let mapped = inspect::mapped();
        let names: BTreeSet<_> = mapped.iter().map(|table| table.name.clone()).collect();
        assert_eq!(tables.keys().cloned().collect::<BTreeSet<_>>(), names, "{:?}: a table without an entity, or the reverse", world.engine);
        for table in mapped {
            let there: BTreeSet<_> = tables[&table.name].iter().map(|column| column.trim_end_matches(" NOT NULL").to_owned()).collect();
            assert_eq!(there, table.columns.into_iter().collect(), "{:?} {}", world.engine, table.name);
        }
        all.push(tables);
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:#?}");
}

#[test]
fn migrations_and_entities_agree_on_whose_rows_they_are() {
    let declared: BTreeMap<_, _> = inspect::declared().into_iter().map(|table| (table.name.to_owned(), table.tenancy)).collect();
    let mapped: BTreeMap<_, _> = inspect::mapped().into_iter().map(|table| (table.name, table.tenancy)).collect();
    assert_eq!(declared, mapped);
}

#[tokio::test]
async fn every_table_is_locked_and_tenants_own_none() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let raw = world.raw().await;
        let open = "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
                       AND relname <> 'seaql_migrations' AND (NOT relrowsecurity OR relforcerowsecurity)";
        assert_eq!(rows(&raw, open).await, Vec::<Vec<String>>::new());
        let owned = "SELECT relname::text FROM pg_class WHERE relowner = 'appstrate_tenant'::regrole";
        assert_eq!(rows(&raw, owned).await, Vec::<Vec<String>>::new());

        let policies = rows(&raw, "SELECT tablename::text, count(*)::text FROM pg_policies WHERE schemaname = 'public' GROUP BY 1").await;
        let policies: BTreeMap<_, _> = policies.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        for table in inspect::declared() {
            let expected = match (table.name, &table.tenancy) {
                ("users" | "audit_seals", _) => Some("1"),
                ("audit_entries", _) => Some("2"),
                (_, None) => None,
                (_, Some(_)) => Some("4"),
            };
            assert_eq!(policies.get(table.name).map(String::as_str), expected, "{}", table.name);
        }
        let readable = "SELECT table_name::text, column_name::text FROM information_schema.column_privileges
                         WHERE grantee = 'appstrate_tenant' AND privilege_type = 'SELECT' AND table_name IN ('users', 'sessions') ORDER BY 2";
        let expected = ["email", "id", "name"].map(|column| vec!["users".to_owned(), column.to_owned()]);
        assert_eq!(rows(&raw, readable).await, expected);
    }
}

/// A collision is reported by the index's name on PostgreSQL and by its columns on SQLite; they say the same by this rule. An
/// index over expressions has a name on both.
#[tokio::test]
async fn unique_indexes_are_named_after_their_columns() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let sql = "SELECT i.relname::text, t.relname || '_' || string_agg(a.attname, '_' ORDER BY k.n)
                     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
                     CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attribute, n)
                     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attribute
                    WHERE x.indisunique AND 0 <> ALL (x.indkey::int2[]) AND t.relnamespace = 'public'::regnamespace
                      AND t.relname <> 'seaql_migrations' AND i.relname <> 'events_pkey' GROUP BY 1, t.relname";
        for row in rows(&world.raw().await, sql).await {
            assert_eq!(row[0], row[1]);
        }
    }
}
