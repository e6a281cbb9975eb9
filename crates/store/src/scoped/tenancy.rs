//! Who may see and write which rows of a table: the one place where the filter of the repositories and the policies of
//! PostgreSQL are both written, arm by arm, so that they can be compared by eye.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, Condition};

use crate::scope::{Bounds, Sight};

/// The columns that say whose a row is. `C` is an entity's column, or the column's name in a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenancy<C> {
    /// Shared: settings of the organization; every scope inside it reads and writes them.
    Organization { org: C },
    /// Shared, and rows without an organization belong to the platform: read by all, written by none of them.
    Catalog { org: C },
    /// Shared: settings of the application; every reach reads and writes them.
    Shared { org: C, app: C },
    /// Private: an end-user sees and writes its own.
    Private { org: C, app: C, end_user: C },
    /// Private, and a run of an end-user also reads the rows without an end-user.
    Memory { org: C, app: C, end_user: C },
    /// Profiles and connections. `owner` is `user`, `end_user`, `application` or `organization` (then without application).
    /// A member sees its own and those of application and organization; an end-user its own; its run both.
    Held { org: C, app: C, owner: C, user: C, end_user: C },
    /// Events, jobs, audit and idempotency rows: private, or of the organization and then without application.
    Trace { org: C, app: C, end_user: C },
    /// Audit rows: as a trace, but no tenant ever changes or deletes one.
    Log { org: C, app: C, end_user: C },
    /// Seals of the log: read by organization, application and member, written by the platform alone.
    Seal { org: C, app: C },
}

impl<C> Tenancy<C> {
    /// Whether a tenant may add rows.
    pub(crate) const fn takes_rows(&self) -> bool {
        !matches!(self, Self::Seal { .. })
    }

    /// Whether a tenant may change and delete rows.
    pub(crate) const fn takes_changes(&self) -> bool {
        !matches!(self, Self::Log { .. } | Self::Seal { .. })
    }
}

#[cfg(feature = "unlock")]
impl<C> Tenancy<C> {
    pub(crate) fn map<D>(self, turn: impl Fn(C) -> D) -> Tenancy<D> {
        match self {
            Self::Organization { org } => Tenancy::Organization { org: turn(org) },
            Self::Catalog { org } => Tenancy::Catalog { org: turn(org) },
            Self::Shared { org, app } => Tenancy::Shared { org: turn(org), app: turn(app) },
            Self::Private { org, app, end_user } => Tenancy::Private { org: turn(org), app: turn(app), end_user: turn(end_user) },
            Self::Memory { org, app, end_user } => Tenancy::Memory { org: turn(org), app: turn(app), end_user: turn(end_user) },
            Self::Held { org, app, owner, user, end_user } => {
                Tenancy::Held { org: turn(org), app: turn(app), owner: turn(owner), user: turn(user), end_user: turn(end_user) }
            }
            Self::Trace { org, app, end_user } => Tenancy::Trace { org: turn(org), app: turn(app), end_user: turn(end_user) },
            Self::Log { org, app, end_user } => Tenancy::Log { org: turn(org), app: turn(app), end_user: turn(end_user) },
            Self::Seal { org, app } => Tenancy::Seal { org: turn(org), app: turn(app) },
        }
    }
}

/// What a statement is about to do with the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Owners whose profiles and connections everyone in the application may use.
const COMMON: [&str; 2] = ["application", "organization"];

impl<C: ColumnTrait> Tenancy<C> {
    /// The filter of every statement on the table.
    pub(crate) fn filter(self, bounds: Bounds, access: Access) -> Condition {
        let sight = bounds.sight;
        let app = sight.app().map(|id| id.to_string());
        let own = sight.end_user().map(|id| id.to_string());
        let in_org = |column: C| column.eq(bounds.org.to_string());
        let in_app = |column: C| app.as_ref().map_or_else(never, |app| column.eq(app.as_str()).into_condition());
        let by_end_user = |column: C| own.as_ref().map_or_else(Condition::all, |own| column.eq(own.as_str()).into_condition());
        match self {
            Self::Organization { org } => Condition::all().add(in_org(org)),
            Self::Catalog { org } => match access {
                Access::Read => Condition::any().add(in_org(org)).add(org.is_null()),
                Access::Write => Condition::all().add(in_org(org)),
            },
            Self::Shared { org, app } => Condition::all().add(in_org(org)).add(in_app(app)),
            Self::Private { org, app, end_user } => Condition::all().add(in_org(org)).add(in_app(app)).add(by_end_user(end_user)),
            Self::Memory { org, app, end_user } => {
                let mut owned = Condition::any().add(by_end_user(end_user));
                if access == Access::Read && matches!(sight, Sight::Run(..)) {
                    owned = owned.add(end_user.is_null());
                }
                Condition::all().add(in_org(org)).add(in_app(app)).add(owned)
            }
            Self::Held { org, app, owner, user, end_user } => {
                let place = match (sight, access) {
                    (Sight::Organization, _) => app.is_null().into_condition(),
                    (_, Access::Read) => Condition::any().add(in_app(app)).add(app.is_null()),
                    (_, Access::Write) => in_app(app),
                };
                let held = match sight {
                    Sight::Organization | Sight::Application(_) => Condition::all(),
                    Sight::Member(_, id) => Condition::any().add(owner.is_in(COMMON)).add(user.eq(id.to_string())),
                    Sight::Run(..) if access == Access::Read => Condition::any().add(owner.is_in(COMMON)).add(by_end_user(end_user)),
                    Sight::EndUser(..) | Sight::Run(..) => by_end_user(end_user),
                };
                Condition::all().add(in_org(org)).add(place).add(held)
            }
            Self::Seal { org, app } => match sight {
                Sight::Organization => Condition::all().add(in_org(org)),
                Sight::Application(_) | Sight::Member(..) => Condition::all().add(in_org(org)).add(in_app(app)),
                Sight::EndUser(..) | Sight::Run(..) => never(),
            },
            Self::Trace { org, app, end_user } | Self::Log { org, app, end_user } => match (sight, access) {
                (Sight::Organization, Access::Read) => Condition::all().add(in_org(org)),
                (Sight::Organization, Access::Write) => Condition::all().add(in_org(org)).add(app.is_null()),
                _ => Condition::all().add(in_org(org)).add(in_app(app)).add(by_end_user(end_user)),
            },
        }
    }
}

fn never() -> Condition {
    Condition::all().add(Expr::val(1).eq(0))
}

trait IntoOwnCondition {
    fn into_condition(self) -> Condition;
}

impl IntoOwnCondition for Expr {
    fn into_condition(self) -> Condition {
        Condition::all().add(self)
    }
}

impl Tenancy<&'static str> {
    /// The same rule as [`Tenancy::filter`], as an SQL expression over the settings that the transaction starts with.
    pub(crate) fn policy(self, access: Access) -> String {
        let in_org = |column| format!("{column} = {ORG}");
        let in_app = |column| format!("{column} = {APP}");
        let by_end_user = |column| format!("({REACH} IN ('application', 'member') OR {column} = {END_USER})");
        match self {
            Self::Organization { org } => in_org(org),
            Self::Catalog { org } => match access {
                Access::Read => format!("({org} IS NULL OR {})", in_org(org)),
                Access::Write => in_org(org),
            },
            Self::Shared { org, app } => format!("{} AND {}", in_org(org), in_app(app)),
            Self::Private { org, app, end_user } => format!("{} AND {} AND {}", in_org(org), in_app(app), by_end_user(end_user)),
            Self::Memory { org, app, end_user } => {
                let owned = match access {
                    Access::Read => format!("({} OR ({REACH} = 'run' AND {end_user} IS NULL))", by_end_user(end_user)),
                    Access::Write => by_end_user(end_user),
                };
                format!("{} AND {} AND {owned}", in_org(org), in_app(app))
            }
            Self::Held { org, app, owner, user, end_user } => {
                let common = format!("{owner} IN ('application', 'organization')");
                let (place, run) = match access {
                    Access::Read => (format!("({} OR {app} IS NULL)", in_app(app)), format!("({common} OR {end_user} = {END_USER})")),
                    Access::Write => (in_app(app), format!("{end_user} = {END_USER}")),
                };
                format!(
                    "{} AND (({REACH} = 'organization' AND {app} IS NULL) OR ({REACH} <> 'organization' AND {place} AND CASE {REACH} \
                     WHEN 'application' THEN true WHEN 'member' THEN {common} OR {user} = {USER} \
                     WHEN 'end_user' THEN {end_user} = {END_USER} WHEN 'run' THEN {run} ELSE false END))",
                    in_org(org)
                )
            }
            Self::Seal { org, app } => {
                format!("{} AND ({REACH} = 'organization' OR ({REACH} IN ('application', 'member') AND {}))", in_org(org), in_app(app))
            }
            Self::Trace { org, app, end_user } | Self::Log { org, app, end_user } => {
                let of_organization = match access {
                    Access::Read => format!("{REACH} = 'organization'"),
                    Access::Write => format!("({REACH} = 'organization' AND {app} IS NULL)"),
                };
                format!("{} AND ({of_organization} OR ({} AND {}))", in_org(org), in_app(app), by_end_user(end_user))
            }
        }
    }
}

const ORG: &str = "current_setting('app.org', true)";
const APP: &str = "current_setting('app.app', true)";
const REACH: &str = "current_setting('app.reach', true)";
const USER: &str = "current_setting('app.user', true)";
const END_USER: &str = "current_setting('app.end_user', true)";
