//! What crosses a socket: API bodies, run events and the messages between worker, sidecar and tool host.
//!
//! Values and their serde shapes only; the one exception is [`frame`], the length-prefixed framing that the local sockets share.
//!
//! | module | between |
//! |---|---|
//! | [`hands`] | a run's sidecar ↔ the tool host in its sandbox |
//! | [`control`] | worker ↔ sidecar |
//! | [`run_spec`] | preflight → worker → sidecar: the frozen description of one run |
//! | [`run_event`] | sidecar → worker → `events` table → SSE |
//! | [`message`] | the model conversation, as recorded in events |
//! | [`api`] | HTTP clients ↔ server |

pub mod api;
pub mod control;
pub mod frame;
pub mod hands;
pub mod message;
pub mod run_event;
pub mod run_spec;
