//! Tickets that open one stream.

use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// Body of `POST /api/realtime/tickets`. May be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateStreamTicket {}

/// The constant `stream_ticket`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum StreamTicketObject {
    #[serde(rename = "stream_ticket")]
    StreamTicket,
}

/// A right to open one stream, for whoever holds it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StreamTicket {
    pub object: StreamTicketObject,
    /// For `?ticket=`. Shown once; works once.
    #[cfg_attr(feature = "schema", schema(example = "tkt_5f2c8e0b9a7d4c61b3e8f0a2d4c6e8f0a1b3c5d7e9f10213"))]
    pub ticket: String,
    pub expires_at: Moment,
}
