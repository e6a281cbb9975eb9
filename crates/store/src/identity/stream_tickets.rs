//! Tickets for streams. Only the SHA-256 of a ticket is kept.

use domain::{KeyId, SessionId, Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait as _};

use crate::StoreError;
use crate::entities::{At, stream_ticket};
use crate::scope::AppScope;
use crate::scoped::Tenant;
use crate::unit::{Unit, Writing};

/// Whose credential a ticket stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketMaker {
    Key(KeyId),
    Session(SessionId),
}

/// A ticket to make. It reaches as far as the scope that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewStreamTicket {
    pub token_hash: [u8; 32],
    pub maker: TicketMaker,
    pub expires_at: Timestamp,
}

/// The tickets of one application.
#[derive(Debug)]
pub struct StreamTickets<'u>(Tenant<'u, Writing>);

impl Unit<AppScope, Writing> {
    pub fn stream_tickets(&self) -> StreamTickets<'_> {
        StreamTickets(self.tenant())
    }
}

impl StreamTickets<'_> {
    /// Keeps the ticket, and forgets those in reach that nobody has used in time.
    pub async fn create(&self, new: NewStreamTicket) -> Result<(), StoreError> {
        let expired = stream_ticket::Column::ExpiresAt.lte(At(self.0.now()));
        self.0.delete::<stream_ticket::Entity>().filter(expired).run().await?;
        let (key, session) = match new.maker {
            TicketMaker::Key(id) => (Some(id.to_string()), None),
            TicketMaker::Session(id) => (None, Some(id.to_string())),
        };
        let row = stream_ticket::ActiveModel {
            token_hash: Set(new.token_hash.to_vec()),
            key_id: Set(key),
            session_id: Set(session),
            expires_at: Set(At(new.expires_at)),
            ..Default::default()
        };
        self.0.append::<stream_ticket::Entity>(row).await
    }
}
