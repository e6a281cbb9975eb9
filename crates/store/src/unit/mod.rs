//! One transaction in one scope. Repositories hang off it; [`Read`] can only look, [`Write`] can change and must be answered.

mod claim;
mod context;
pub(crate) mod idempotency;
mod stepped;
mod wakes;
mod within;
mod write;

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

pub(crate) use self::claim::InFlightKeys;
pub use self::claim::{Claim, Claimed, Earlier, IdempotencyKey};
pub use self::context::{AuditFacts, Recorded, ReplyForm, WriteContext};
pub use self::stepped::{Intent, Repeat, Step};
pub(crate) use self::wakes::Wakes;
pub(crate) use self::write::WriteState;
pub use self::write::{Draft, Opened, Reply};
use crate::engine::{Permit, Session};
use crate::scope::{InOrg, Scope};
use crate::scoped::Tenant;
use crate::store::Inner;

/// A unit that only reads.
#[derive(Clone, Copy, Debug)]
pub struct Reading;

/// A unit that changes rows.
#[derive(Clone, Copy, Debug)]
pub struct Writing;

/// What a unit may do.
pub trait Mode: mode::Sealed {}
impl Mode for Reading {}
impl Mode for Writing {}

mod mode {
    pub trait Sealed: Send + Sync + 'static {
        type State: Send + Sync + std::fmt::Debug;
    }
    impl Sealed for super::Reading {
        type State = ();
    }
    impl Sealed for super::Writing {
        type State = super::WriteState;
    }
}

/// An open transaction in the scope `S`. Functions that fit both modes take `&Unit<S, M>` with `M: Mode`.
#[derive(Debug)]
pub struct Unit<S: Scope, M: Mode> {
    // Dropped in this order: the rollback is under way before the next writer has its turn.
    pub(crate) transaction: Session,
    pub(crate) permit: Option<Permit>,
    pub(crate) store: Arc<Inner>,
    pub(crate) scope: S,
    pub(crate) wakes: Wakes,
    pub(crate) state: M::State,
}

/// A read transaction.
pub type Read<S> = Unit<S, Reading>;

/// A write transaction. Dropping it rolls everything back.
pub type Write<S> = Unit<S, Writing>;

impl<S: Scope, M: Mode> Unit<S, M> {
    pub fn scope(&self) -> &S {
        &self.scope
    }
}

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub(crate) fn tenant(&self) -> Tenant<'_, M> {
        Tenant { transaction: &self.transaction, bounds: self.scope.bounds(), store: &self.store, wakes: &self.wakes, mode: PhantomData }
    }
}
