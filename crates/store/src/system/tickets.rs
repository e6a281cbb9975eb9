//! Taking a ticket: once, on whichever node it comes in.

use domain::{AppId, EndUserId, OrgId};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, Statement};

use super::System;
use crate::StoreError;
use crate::engine::{Lane, Opened};
use crate::entities::{At, parse, parse_some, stream_ticket};
use crate::identity::TicketMaker;

/// What a ticket stands for. The maker's credential must still be looked up: it may have been revoked since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenTicket {
    pub org: OrgId,
    pub app: AppId,
    pub end_user: Option<EndUserId>,
    pub maker: TicketMaker,
}

impl System<'_> {
    /// Takes the ticket with this SHA-256 out of the table. `None`: unknown, taken before, or expired; one answer for all.
    pub async fn take_stream_ticket(&self, hash: &[u8; 32]) -> Result<Option<TakenTicket>, StoreError> {
        const TAKE: &str = "DELETE FROM stream_tickets WHERE token_hash = $1
             RETURNING org_id, app_id, end_user_id, key_id, session_id, expires_at";
        const WHAT: &str = "a ticket";
        let inner = &self.store.inner;
        let now = inner.clock.now();
        let Opened { transaction, permit } = inner.engine.write(None, Lane::Requests).await?;
        let statement = Statement::from_sql_and_values(inner.engine.backend(), TAKE, [hash.to_vec().into()]);
        let row = transaction.query_one_raw(statement).await?;
        // Here, so that tickets nobody uses do not gather when nobody makes new ones.
        stream_ticket::Entity::delete_many().filter(stream_ticket::Column::ExpiresAt.lte(At(now))).exec(&transaction).await?;
        transaction.commit().await?;
        drop(permit);

        let Some(row) = row else { return Ok(None) };
        let expires_at: i64 = row.try_get_by_index(5)?;
        if expires_at <= now.timestamp_millis() {
            return Ok(None);
        }
        let text = |index: usize| row.try_get_by_index::<String>(index);
        let optional = |index: usize| row.try_get_by_index::<Option<String>>(index);
        let maker = match (parse_some(optional(3)?.as_deref(), WHAT)?, parse_some(optional(4)?.as_deref(), WHAT)?) {
            (Some(key), None) => TicketMaker::Key(key),
            (None, Some(session)) => TicketMaker::Session(session),
            _ => return Err(StoreError::Corrupt { what: WHAT }),
        };
        Ok(Some(TakenTicket {
            org: parse(&text(0)?, WHAT)?,
            app: parse(&text(1)?, WHAT)?,
            end_user: parse_some(optional(2)?.as_deref(), WHAT)?,
            maker,
        }))
    }
}
