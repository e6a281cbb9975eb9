//! From claims to a caller: one look-up of the credential, then organization, application and end-user.

use std::str::FromStr;

use domain::{AppId, Code, OrgId, Permission, PermissionSet};
use store::{KeyLogin, SessionLogin, TicketMaker};

use super::claims::{Asked, Claims};
use super::refusal::{Impersonation, Refusal};
use crate::app::App;
use crate::chain::rate_limit::Identity;
use crate::extract::caller::{Caller, CallerOrg, Credential};
use crate::problem::Problem;

/// A caller, and the version that its organization is pinned to.
pub(super) type Identified = (Caller, Option<String>);

/// Takes the request's ticket, if it has one: it works once. What it stands for replaces every other claim; one that says something
/// else is refused. A browser sends its cookie along in any case, so that is passed over.
///
/// Also a request with something wrong in it takes its ticket, because nothing else tells who is refused.
pub(super) async fn redeem(app: &App, asked: Asked) -> Result<Asked, Problem> {
    let Asked { claims, version, wrong } = asked;
    let Some(ticket) = &claims.ticket else { return Ok(Asked { claims, version, wrong }) };
    let unknown = || Problem::new(Code::Unauthorized, "The ticket is unknown, was used before, or has expired. Make a new one.");
    let taken = app.store.system().take_stream_ticket(&auth::token::hash(ticket)).await?.ok_or_else(unknown)?;
    let (org, app, end_user) = (Some(taken.org.to_string()), Some(taken.app.to_string()), taken.end_user.map(|id| id.to_string()));
    let held = [(&claims.org, &org, "X-Org-Id"), (&claims.app, &app, "X-App-Id"), (&claims.end_user, &end_user, "Appstrate-User")];
    let other = held.into_iter().find(|(claimed, held, _)| claimed.is_some() && claimed != held);
    let other = other.map(|(_, _, name)| Problem::new(Code::Forbidden, format!("The ticket was made for another {name}.")).param(name));
    let beside = claims.end_user.filter(|named| end_user.as_ref() != Some(named));
    let claims = Claims { maker: Some(taken.maker), org, app, end_user, beside, ..Claims::default() };
    Ok(Asked { claims, version, wrong: wrong.or(other) })
}

/// Who makes these claims.
pub(super) async fn identify(app: &App, claims: &Claims) -> Result<Identified, Refusal> {
    let system = app.store.system();
    match (claims.maker, &claims.bearer, &claims.cookie) {
        (Some(TicketMaker::Key(id)), _, _) => with_key(app, system.key_by_id(id, claims.end_user_id()).await?, claims),
        (Some(TicketMaker::Session(id)), _, _) => with_session(app, system.session_by_id(id).await?, claims).await,
        (None, Some(bearer), _) if !bearer.starts_with(auth::token::KEY_PREFIX) => Err(unknown_credential().into()),
        (None, Some(bearer), _) => with_key(app, system.key_by_hash(&auth::token::hash(bearer), claims.end_user_id()).await?, claims),
        (None, None, Some(cookie)) => with_session(app, system.session_by_hash(&auth::token::hash(cookie)).await?, claims).await,
        (None, None, None) => Ok((Caller::anonymous(), None)),
    }
}

fn unknown_credential() -> Problem {
    Problem::new(Code::Unauthorized, "The credential is unknown, expired or revoked.")
}

fn with_key(app: &App, login: Option<KeyLogin>, claims: &Claims) -> Result<Identified, Refusal> {
    let login = login.ok_or_else(unknown_credential)?;
    let (identity, pinned) = (Identity::key(&login), login.pinned_version.clone());
    as_key(app, login, claims).map_err(|refusal| refusal.by(identity).in_version(pinned))
}

fn as_key(app: &App, login: KeyLogin, claims: &Claims) -> Result<Identified, Refusal> {
    let refused = |problem: Problem| Refusal { impersonation: Impersonation::of_key(login.clone(), claims), ..problem.into() };
    if claims.org.as_ref().is_some_and(|org| *org != login.org.to_string()) {
        return Err(refused(Problem::new(Code::Forbidden, "The key belongs to another organization.").param("X-Org-Id")));
    }
    if claims.app.as_ref().is_some_and(|claimed| *claimed != login.app.to_string()) {
        return Err(refused(Problem::new(Code::Forbidden, "The key belongs to another application.").param("X-App-Id")));
    }
    let permissions = key_permissions(&login);
    let (scope, end_user, permissions) = if claims.end_user.is_some() {
        // Malformed, unknown, foreign and deleted are one answer.
        let Some((scope, id)) = login.end_user_scope().zip(claims.end_user_id()) else {
            let problem = Problem::new(Code::InvalidEndUser, "Appstrate-User names no end-user of this application.");
            return Err(refused(problem.param("Appstrate-User")));
        };
        (scope, Some(id), permissions.intersection(PermissionSet::end_user()))
    } else {
        (login.app_scope(), None, permissions)
    };
    app.store.system().key_used(login.key);
    let org = CallerOrg { scope: login.org_scope(), role: login.role, user: login.creator };
    let pinned = login.pinned_version.clone();
    let caller = Caller { credential: Credential::Key(Box::new(login)), org: Some(org), app: Some(scope), end_user, permissions };
    Ok((caller, pinned))
}

/// role of the creator now ∩ scopes of the key.
fn key_permissions(login: &KeyLogin) -> PermissionSet {
    let named: PermissionSet = login.scopes.iter().filter_map(|scope| Permission::parse(scope)).collect();
    named.intersection(PermissionSet::grantable_to_key(login.role))
}

async fn with_session(app: &App, login: Option<SessionLogin>, claims: &Claims) -> Result<Identified, Refusal> {
    let Some(login) = login else {
        // A browser cannot drop the cookie of a session that ended elsewhere: it must still be able to sign in. Where a credential
        // is needed, nobody is refused all the same.
        return Ok((Caller::anonymous(), None));
    };
    let identity = Identity::user(&login, None);
    as_user(app, login, claims).await.map_err(|refusal| refusal.by(identity))
}

async fn as_user(app: &App, login: SessionLogin, claims: &Claims) -> Result<Identified, Refusal> {
    if claims.end_user.is_some() {
        return Err(Problem::new(Code::HeaderNotAllowed, "Appstrate-User works with API keys only.").param("Appstrate-User").into());
    }
    let mut caller = Caller::anonymous();
    let mut pinned = None;
    if let Some(claimed) = &claims.org {
        let refused = || Problem::new(Code::Forbidden, "You are not a member of this organization.").param("X-Org-Id");
        let id = OrgId::from_str(claimed).map_err(|_| refused())?;
        let membership = app.store.system().membership(&login, id).await?.ok_or_else(refused)?;
        caller.permissions = PermissionSet::of_role(membership.role);
        pinned = membership.pinned_version;
        if let Some(claimed) = &claims.app {
            let scope = match AppId::from_str(claimed) {
                Ok(id) => app.store.system().application_scope(&membership.scope, id, &login).await?,
                Err(_) => None,
            };
            let unknown = || Refusal::from(Problem::new(Code::NotFound, "No such application.").param("X-App-Id"));
            caller.app = Some(scope.ok_or_else(|| unknown().in_version(pinned.clone()))?);
        }
        caller.org = Some(CallerOrg { scope: membership.scope, role: membership.role, user: login.user.id });
    }
    caller.credential = Credential::Session(Box::new(login));
    Ok((caller, pinned))
}
