//! What agents remember. An end-user's run adds to that end-user's memories, any other run to the application's.

use domain::{EndUserId, MemoryId, PackageName, RunId, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, Condition, Order};
use wire::control::MemoryWrite;
use wire::run_spec::MemoryEntry;

use super::row::plain;
use crate::entities::memory::{ActiveModel, Column, Entity, Model};
use crate::entities::{At, parse, parse_some};
use crate::scope::AppScope;
use crate::scoped::{ScopedSelect, Tenant};
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// Entries that one owner may have for one agent. One more, and the oldest goes.
pub const MOST_MEMORIES: u64 = 100;

/// One remembered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    pub id: MemoryId,
    /// `None`: the application's.
    pub end_user: Option<EndUserId>,
    pub agent: PackageName,
    pub key: Option<String>,
    pub content: String,
    pub run: RunId,
    pub created_at: Timestamp,
}

/// The memories of one application, as far as the scope reaches.
#[derive(Debug)]
pub struct Memories<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<AppScope, M> {
    pub fn memories(&self) -> Memories<'_, M> {
        Memories(self.tenant())
    }
}

impl<M: Mode> Memories<'_, M> {
    /// Newest first. An end-user's scope lists its own; any other lists all of the application.
    pub async fn list(&self, agent: &PackageName, page: Page) -> Result<Paged<Memory>, StoreError> {
        let newest = newest(self.0.find::<Entity>().filter(Column::Agent.eq(agent.to_string())));
        newest.page(page).await?.try_map(Memory::try_from)
    }

    /// What a run of the agent reads, oldest first: its owner's own, and under an end-user's scope made by
    /// [`AppScope::for_run`] also the application's. With the time each was kept.
    pub async fn of_run(&self, agent: &PackageName) -> Result<Vec<(MemoryEntry, Timestamp)>, StoreError> {
        let own = self.0.bounds.sight.end_user().map(|id| id.to_string());
        let mut rows = self.0.find::<Entity>().filter(Column::Agent.eq(agent.to_string()));
        if own.is_none() {
            rows = rows.filter(Column::EndUserId.is_null());
        }
        // Two owners at most, each with its own bound.
        let rows = newest(rows).limit(2 * MOST_MEMORIES).all().await?;
        let entry = |row: Model| (MemoryEntry { own: row.end_user_id == own, key: row.key, text: row.content }, row.created_at.0);
        Ok(rows.into_iter().rev().map(entry).collect())
    }
}

impl Memories<'_, Writing> {
    /// Forgets one entry. `false`: the scope reaches no such memory.
    pub async fn delete(&self, agent: &PackageName, id: MemoryId) -> Result<bool, StoreError> {
        let delete = self.0.delete::<Entity>().filter(Column::Id.eq(id.to_string())).filter(Column::Agent.eq(agent.to_string()));
        Ok(delete.run().await? == 1)
    }
}

fn newest(rows: ScopedSelect<'_, Entity>) -> ScopedSelect<'_, Entity> {
    rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Id), Order::Desc)
}

/// Adds what a run has remembered to its owner's memories; how many old entries went for it.
pub(super) async fn keep(tenant: &Tenant<'_, Writing>, agent: &PackageName, run: RunId, writes: &[MemoryWrite]) -> Result<u64, StoreError> {
    if writes.is_empty() {
        return Ok(0);
    }
    let own = tenant.bounds.sight.end_user().map(|id| id.to_string());
    let of_owner = || {
        let owner = own.as_deref().map_or_else(|| Column::EndUserId.is_null(), |own| Column::EndUserId.eq(own));
        Condition::all().add(owner).add(Column::Agent.eq(agent.to_string()))
    };
    for MemoryWrite { key, text } in writes {
        let key = key.as_deref().map(plain);
        if let Some(key) = &key {
            tenant.delete::<Entity>().filter(of_owner()).filter(Column::Key.eq(key.as_str())).run().await?;
        }
        let row = ActiveModel {
            id: Set(MemoryId::new(tenant.ids()).to_string()),
            end_user_id: Set(own.clone()),
            agent: Set(agent.to_string()),
            key: Set(key),
            content: Set(plain(text)),
            run_id: Set(run.to_string()),
            created_at: Set(At(tenant.now())),
            ..Default::default()
        };
        tenant.append::<Entity>(row).await?;
    }
    let held = newest(tenant.find::<Entity>().filter(of_owner())).all().await?;
    let most = usize::try_from(MOST_MEMORIES).expect("a small number");
    let oldest: Vec<_> = held.into_iter().skip(most).map(|row| row.id).collect();
    if oldest.is_empty() {
        return Ok(0);
    }
    tenant.delete::<Entity>().filter(of_owner()).filter(Column::Id.is_in(oldest)).run().await
}

impl TryFrom<Model> for Memory {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        const WHAT: &str = "a memory";
        Ok(Self {
            id: parse(&row.id, WHAT)?,
            end_user: parse_some(row.end_user_id.as_deref(), WHAT)?,
            agent: parse(&row.agent, WHAT)?,
            key: row.key,
            content: row.content,
            run: parse(&row.run_id, WHAT)?,
            created_at: row.created_at.0,
        })
    }
}
