//! A request that goes no further: whose limit it counts against, and what the log keeps of it.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use domain::EndUserId;
use store::{Audit, KeyLogin};

use super::claims::Claims;
use crate::app::App;
use crate::chain::audit;
use crate::chain::rate_limit::Identity;
use crate::chain::rate_limit::attempt::Attempt;
use crate::chain::version::{self, Version};
use crate::extract::caller::{Caller, Credential};
use crate::problem::Problem;

/// A request that goes no further.
pub(super) struct Refusal {
    pub(super) problem: Problem,
    /// `None`: nobody of ours wanted to act as an end-user.
    pub(super) impersonation: Option<Box<Impersonation>>,
    /// Who is refused, where the credential was good.
    pub(super) identity: Option<Identity>,
    /// The version of the organization, as soon as that is known.
    pub(super) pinned: Option<String>,
}

impl Refusal {
    /// Somebody is known, and refused.
    pub(super) fn of(problem: Problem, caller: &Caller, claims: &Claims, pinned: Option<String>) -> Self {
        Self { problem, impersonation: Impersonation::of(caller, claims), identity: Identity::of(caller), pinned }
    }

    pub(super) fn by(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    pub(super) fn in_version(self, pinned: Option<String>) -> Self {
        Self { pinned, ..self }
    }
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self { problem: error.into(), impersonation: None, identity: None, pinned: None }
    }
}

/// A call as an end-user that goes no further: the log keeps it.
pub(super) struct Impersonation {
    pub(super) caller: Caller,
    /// Who was named and is not whom the row names.
    claimed: Option<EndUserId>,
}

impl Impersonation {
    /// `None`: the caller is no end-user, and did not want to be one.
    fn of(caller: &Caller, claims: &Claims) -> Option<Box<Self>> {
        let wanted = claims.beside.is_some() && matches!(caller.credential, Credential::Key(_));
        let claimed = claims.named().filter(|named| caller.end_user != Some(*named));
        (caller.end_user.is_some() || wanted).then(|| Box::new(Self { caller: caller.clone(), claimed }))
    }

    /// A key whose end-user is not, or not yet, found: the application's own caller, as far as the log goes.
    pub(super) fn of_key(login: KeyLogin, claims: &Claims) -> Option<Box<Self>> {
        claims.end_user.as_ref()?;
        let caller = Caller { app: Some(login.app_scope()), credential: Credential::Key(Box::new(login)), ..Caller::anonymous() };
        Some(Box::new(Self { caller, claimed: claims.named() }))
    }
}

/// Answers a request that goes no further; one of somebody known counts like any other.
pub(super) async fn refuse(app: &App, request: Request, attempt: &Attempt, refusal: Refusal, asked: Option<Version>) -> Response {
    let Refusal { problem, impersonation, identity, pinned } = refusal;
    let (mut response, told) = match &identity {
        Some(identity) => match attempt.count(app, identity).await {
            Ok(told) => (problem.into_response(), told),
            Err(refused) => (refused.into_response(), None),
        },
        None => (problem.into_response(), None),
    };
    if let Some(impersonation) = impersonation {
        let (parts, _) = request.into_parts();
        let Impersonation { caller, claimed } = *impersonation;
        let audit = claimed.map(|id| Audit::detail(serde_json::json!({ "claimedEndUserId": id })));
        response = audit::record(app, parts, &caller, ("", audit), response).await;
    }
    if let Some(told) = told {
        response.extensions_mut().insert(told);
    }
    response.extensions_mut().insert(version::resolve(asked, pinned.as_deref()));
    response
}
