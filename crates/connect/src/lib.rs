//! Credentials of outside services: how they are sealed, which providers exist, and how a run gets its own.
//!
//! | module | owns |
//! |---|---|
//! | [`vault`] | sealing and opening under data keys; no I/O |

pub mod vault;
