//! Row-level security of PostgreSQL, generated from a migration's list of tables.

use std::fmt::Write as _;

use sea_orm::DbErr;
use sea_orm_migration::SchemaManager;

use super::ddl;
use crate::scoped::Tenancy;
use crate::scoped::tenancy::Access;

/// A table and whose its rows are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: Rows,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Of the platform: no tenant sees any of them.
    Platform,
    /// Of the platform, but members of an organization see these columns of each other's row: `(columns, own id)`.
    Members(&'static str),
    /// Of tenants.
    Tenant(Tenancy<&'static str>),
}

impl Table {
    pub(crate) const fn platform(name: &'static str) -> Self {
        Self { name, rows: Rows::Platform }
    }

    pub(crate) const fn tenant(name: &'static str, tenancy: Tenancy<&'static str>) -> Self {
        Self { name, rows: Rows::Tenant(tenancy) }
    }
}

/// Locks the tables: what no policy names, no tenant sees. The owner, which is the login user, stays outside.
pub(super) async fn protect(manager: &SchemaManager<'_>, tables: &[Table]) -> Result<(), DbErr> {
    let mut sql = String::new();
    for Table { name, rows } in tables {
        writeln!(sql, "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;").expect("writing to text");
        match rows {
            Rows::Platform => {}
            Rows::Members(columns) => write!(
                sql,
                "GRANT SELECT ({columns}) ON {name} TO appstrate_tenant;
                 CREATE POLICY tenant_read ON {name} FOR SELECT TO appstrate_tenant USING (EXISTS (SELECT 1 FROM members
                     WHERE members.user_id = {name}.id AND members.org_id = current_setting('app.org', true)));\n"
            )
            .expect("writing to text"),
            Rows::Tenant(tenancy) => {
                let (read, write) = (tenancy.policy(Access::Read), tenancy.policy(Access::Write));
                write!(
                    sql,
                    "GRANT SELECT ON {name} TO appstrate_tenant;
                     CREATE POLICY tenant_read ON {name} FOR SELECT TO appstrate_tenant USING ({read});\n"
                )
                .expect("writing to text");
                if tenancy.takes_rows() {
                    write!(
                        sql,
                        "GRANT INSERT ON {name} TO appstrate_tenant;
                         CREATE POLICY tenant_insert ON {name} FOR INSERT TO appstrate_tenant WITH CHECK ({write});\n"
                    )
                    .expect("writing to text");
                }
                if tenancy.takes_changes() {
                    write!(
                        sql,
                        "GRANT UPDATE, DELETE ON {name} TO appstrate_tenant;
                         CREATE POLICY tenant_update ON {name} FOR UPDATE TO appstrate_tenant USING ({write}) WITH CHECK ({write});
                         CREATE POLICY tenant_delete ON {name} FOR DELETE TO appstrate_tenant USING ({write});\n"
                    )
                    .expect("writing to text");
                }
            }
        }
    }
    ddl::run_on_postgres(manager, &sql).await
}
