//! Notifications: a run that has ended is unread until somebody whom it concerns marks it.
//!
//! An end-user sees and marks its own runs. A member sees and marks the runs it has started and those of the application itself,
//! never an end-user's. A key without end-user acts for the whole application.

use domain::{PackageName, RunId};
use sea_orm::{ColumnTrait as _, Condition};

use crate::StoreError;
use crate::entities::{At, parse_some, run};
use crate::scope::AppScope;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};

/// How many unread runs are counted, and marked at once, at most.
pub const MOST_UNREAD: u64 = 10_000;

/// Unread runs of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// `None`: inline runs.
    pub agent: Option<PackageName>,
    pub count: u64,
}

/// The notifications of one caller in one application.
#[derive(Debug)]
pub struct Notifications<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<AppScope, M> {
    pub fn notifications(&self) -> Notifications<'_, M> {
        Notifications(self.tenant())
    }
}

impl<M> Notifications<'_, M> {
    /// How many runs are unread, by agent, in no order. All together at most [`MOST_UNREAD`], which then means: at least as many.
    pub async fn unread(&self) -> Result<Vec<Unread>, StoreError> {
        let rows = self.0.find::<run::Entity>().filter(self.concerning()).filter(unread()).limit(MOST_UNREAD);
        let counts = rows.count_by(run::Column::Agent).await?;
        let unread = |(agent, count): (Option<String>, i64)| {
            Ok(Unread { agent: parse_some(agent.as_deref(), "a run's agent")?, count: u64::try_from(count).unwrap_or(0) })
        };
        counts.into_iter().map(unread).collect()
    }

    /// The runs that are this caller's to read.
    fn concerning(&self) -> Condition {
        match self.0.bounds.sight.user() {
            None => Condition::all(),
            Some(user) => {
                let of_application = Condition::all().add(run::Column::UserId.is_null()).add(run::Column::EndUserId.is_null());
                Condition::any().add(run::Column::UserId.eq(user.to_string())).add(of_application)
            }
        }
    }
}

impl Notifications<'_, Writing> {
    /// Marks one run as read. `false`: it was read, has not ended, or is not this caller's to read.
    pub async fn mark(&self, id: RunId) -> Result<bool, StoreError> {
        let update = self.0.update::<run::Entity>().set(run::Column::ReadAt, At(self.0.now()));
        let marked = update.filter(run::Column::Id.eq(id.to_string())).filter(self.concerning()).filter(unread()).run().await?;
        Ok(marked == 1)
    }

    /// Marks every unread run, at most [`MOST_UNREAD`] at once; how many.
    pub async fn mark_all(&self) -> Result<u64, StoreError> {
        let some = self.0.find::<run::Entity>().filter(self.concerning()).filter(unread()).limit(MOST_UNREAD);
        let update = self.0.update::<run::Entity>().set(run::Column::ReadAt, At(self.0.now()));
        update.filter(run::Column::Id.in_subquery(some.only(run::Column::Id))).filter(unread()).run().await
    }
}

fn unread() -> Condition {
    Condition::all().add(run::Column::CompletedAt.is_not_null()).add(run::Column::ReadAt.is_null())
}
