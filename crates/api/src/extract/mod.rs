//! What handlers take: permission, body, page, path parts. Every refusal is a problem.

pub mod body;
pub mod caller;
mod can;
pub mod paging;
pub mod path;
pub mod perm;
pub mod requirement;

pub use body::{Json, OptionalJson};
pub use caller::CurrentSession;
pub use can::{Can, facts};
pub use paging::Paging;
pub use path::{AgentPath, ChildPath, EncodedAgentPath, IdPath, TokenPath};
