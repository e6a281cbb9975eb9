//! Who is calling: passwords, session tokens and API keys.
//!
//! | module | owns |
//! |---|---|
//! | [`password`] | Argon2id hashes, off the runtime's threads and bounded |
//! | [`token`] | secrets handed to clients: how they are made, written and looked up |
//! | [`sign_up`], [`sign_in`], [`social`] | the ways to a session: with a password, or with another's word |
//! | [`recovery`] | changing and replacing a password, proving an address |
//! | [`guess`] | slowing down who guesses |
//! | [`invitation`] | the way into an organization |
//! | [`mail`] | messages to people, and the way out |

pub mod guess;
pub mod invitation;
pub mod mail;
pub mod password;
pub mod recovery;
pub mod sign_in;
pub mod sign_up;
pub mod social;
pub mod token;

mod error;

pub use error::AuthError;
pub use password::Passwords;
