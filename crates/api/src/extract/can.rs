//! `Can<P>`: the permission in a handler's signature, and its way to the data.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use axum::http::header;
use axum::http::request::Parts;
use store::{AppScope, AuditFacts, Claim, Opened, OrgScope, Read, Recorded, ReplyForm, Scope, Store, SystemScope, Write, WriteContext};

use super::caller::{Caller, Credential};
use super::requirement::{AppAccess, OrgAccess, Requirement, UserAccess};
use crate::app::App;
use crate::chain::address::ClientAddress;
use crate::chain::audit::AskedPermission;
use crate::chain::finish::CurrentRequest;
use crate::chain::idempotency::{self, Keyed, Stopped};
use crate::chain::redact;
use crate::problem::Problem;
use crate::versions::change::Call;
use crate::versions::{Version, edge};

/// Proof that the caller meets the requirement `P`, with the access that `P` yields.
///
/// It decides everything and authenticates nothing: the caller was identified by [`crate::chain::authenticate`]. With the permission
/// comes the request's idempotency key: a request that was answered before does not reach its handler.
pub struct Can<P: Requirement> {
    access: P::Access,
    store: Store,
    facts: AuditFacts,
    claim: Option<Claim>,
    form: Option<Arc<dyn ReplyForm>>,
}

impl<P: Requirement> std::ops::Deref for Can<P> {
    type Target = P::Access;

    fn deref(&self) -> &P::Access {
        &self.access
    }
}

impl<P: Requirement> FromRequestParts<App> for Can<P> {
    type Rejection = Stopped;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Stopped> {
        let caller = parts.extensions.get::<Caller>().cloned().unwrap_or_else(Caller::anonymous);
        if let Some(asked) = parts.extensions.get::<AskedPermission>() {
            asked.note(P::NAME);
        }
        let access = P::grant(&caller)?;
        let facts = facts(parts, &caller, P::NAME).await;
        let form = match parts.extensions.get::<Version>() {
            Some(version) if idempotency::is_unsafe(&parts.method) => {
                edge::answer_form(*version, Call { method: &facts.method, route: &facts.route })
            }
            _ => None,
        };
        let claim = match parts.extensions.get::<Keyed>().cloned() {
            // What anyone may do is nobody's promise.
            Some(keyed) if P::LEVEL != "none" => keyed.claim(parts, &caller, app).await?,
            _ => None,
        };
        Ok(Self { access, store: app.store.clone(), facts, claim, form })
    }
}

/// How much of a text of the client's own the audit log keeps, in characters.
const MAX_USER_AGENT: usize = 512;
const MAX_PATH: usize = 2048;
const MAX_SUBJECT: usize = 256;

/// What the path names last: an id, or a package.
async fn subject(parts: &mut Parts) -> Option<String> {
    if redact::holds_secret(parts.uri.path()) {
        return None;
    }
    let named = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    let named: Vec<_> = named.iter().collect();
    let subject = match named.as_slice() {
        [.., ("scope", scope), ("name", name)] => format!("{scope}/{name}"),
        [.., (_, value)] => (*value).to_owned(),
        [] => return None,
    };
    // It may be anything: what cannot be an id or a name is told by the path, as it was sent.
    (subject.chars().count() <= MAX_SUBJECT && !subject.contains(char::is_control)).then_some(subject)
}

/// What the audit log keeps of the request.
pub async fn facts(parts: &mut Parts, caller: &Caller, permission: &str) -> AuditFacts {
    let subject = subject(parts).await;
    let extensions = &parts.extensions;
    AuditFacts {
        request: extensions.get::<CurrentRequest>().expect("the outermost layer names every request").0,
        key: match &caller.credential {
            Credential::Key(login) => Some(login.key),
            Credential::None | Credential::Session(_) => None,
        },
        user: match &caller.credential {
            Credential::Key(login) => Some(login.creator),
            Credential::Session(login) => Some(login.user.id),
            Credential::None => None,
        },
        end_user: caller.end_user,
        permission: permission.to_owned(),
        method: parts.method.to_string(),
        route: extensions.get::<MatchedPath>().map_or_else(String::new, |path| path.as_str().to_owned()),
        path: redact::path(parts.uri.path()).chars().take(MAX_PATH).collect(),
        subject,
        ip: extensions.get::<ClientAddress>().map(|address| address.0.to_string()),
        user_agent: parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(MAX_USER_AGENT).collect()),
        recorded: extensions.get::<Recorded>().cloned().unwrap_or_default(),
    }
}

impl<P: Requirement> Can<P> {
    /// Opens a read unit in a scope that the handler holds.
    pub async fn read_in<S: Scope>(&self, scope: &S) -> Result<Read<S>, Problem> {
        Ok(self.store.read(scope).await?)
    }

    /// Opens the write unit of this request in a scope that the handler holds. Its only ends are a reply or a rollback.
    pub async fn write_in<S: Scope>(&self, scope: &S) -> Result<Write<S>, Problem> {
        opened(self.store.begin_write(scope, self.context()).await?)
    }

    /// Audit facts, idempotency key and the caller's version: what every write of this request carries.
    fn context(&self) -> WriteContext {
        WriteContext::of(self.facts.clone()).under(self.claim.clone()).answered_in(self.form.clone())
    }

    pub fn facts(&self) -> &AuditFacts {
        &self.facts
    }
}

fn opened<S: Scope>(opened: Opened<S>) -> Result<Write<S>, Problem> {
    match opened {
        Opened::Fresh(write) => Ok(*write),
        Opened::Earlier(earlier) => Err(earlier.into()),
    }
}

impl<P: Requirement<Access = UserAccess>> Can<P> {
    /// Opens the write unit of this request outside every organization: for what belongs to users, and for new organizations.
    pub async fn write_as_platform(&self) -> Result<Write<SystemScope>, Problem> {
        opened(self.store.system().begin_write(self.context()).await?)
    }
}

impl<P: Requirement<Access = AppAccess>> Can<P> {
    /// Opens a read unit in the caller's application.
    pub async fn read(&self) -> Result<Read<AppScope>, Problem> {
        self.read_in(&self.access.scope).await
    }

    /// Opens the write unit of this request in the caller's application.
    pub async fn write(&self) -> Result<Write<AppScope>, Problem> {
        self.write_in(&self.access.scope).await
    }
}

impl<P: Requirement<Access = OrgAccess>> Can<P> {
    /// Opens a read unit in the caller's organization.
    pub async fn read_org(&self) -> Result<Read<OrgScope>, Problem> {
        self.read_in(&self.access.scope).await
    }

    /// Opens the write unit of this request in the caller's organization.
    pub async fn write_org(&self) -> Result<Write<OrgScope>, Problem> {
        self.write_in(&self.access.scope).await
    }
}
