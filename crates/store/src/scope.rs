//! How far a caller reaches. Private fields, no public constructor: only this crate mints a scope, from the credential, job or
//! run row that it has just read.

use domain::{AppId, EndUserId, OrgId, Reach, UserId};

/// Permission to act on the rows of one organization that belong to no application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrgScope {
    org: OrgId,
}

impl OrgScope {
    pub(crate) fn mint(org: OrgId) -> Self {
        Self { org }
    }

    pub fn org(&self) -> OrgId {
        self.org
    }
}

/// Permission to act inside one application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppScope {
    org: OrgId,
    app: AppId,
    reach: Reach,
    view: View,
}

/// A run of an end-user reads, besides its own, what the application keeps for all (memories, connections); the API shows an
/// end-user only its own. Writing is the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Api,
    Run,
}

impl AppScope {
    pub(crate) fn mint(org: OrgId, app: AppId, reach: Reach) -> Self {
        Self { org, app, reach, view: View::Api }
    }

    pub fn org(&self) -> OrgId {
        self.org
    }

    pub fn app(&self) -> AppId {
        self.app
    }

    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The organization around the application.
    pub fn organization(&self) -> OrgScope {
        OrgScope::mint(self.org)
    }

    /// The same reach as preflight and a run see it: reads also the memories and connections that the application owns.
    /// Never for what an end-user is shown.
    #[must_use]
    pub fn for_run(&self) -> Self {
        Self { view: View::Run, ..*self }
    }
}

/// No tenant at all: the platform itself. Reached only through [`crate::Store::system`], whose methods are a closed list.
#[derive(Clone, Copy, Debug)]
pub struct SystemScope(pub(crate) ());

/// A scope that a unit of work may be opened with.
pub trait Scope: sealed::Sealed + Clone + Send + Sync + 'static {}

/// A scope inside an organization.
pub trait InOrg: Scope + sealed::Bounded {}

impl Scope for OrgScope {}
impl Scope for AppScope {}
impl Scope for SystemScope {}
impl InOrg for OrgScope {}
impl InOrg for AppScope {}

/// A scope, reduced to what filters, stamps and row-level security need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub(crate) org: OrgId,
    pub(crate) sight: Sight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Organization,
    Application(AppId),
    Member(AppId, UserId),
    EndUser(AppId, EndUserId),
    /// A run of that end-user.
    Run(AppId, EndUserId),
}

impl Sight {
    pub(crate) fn app(self) -> Option<AppId> {
        match self {
            Self::Organization => None,
            Self::Application(app) | Self::Member(app, _) | Self::EndUser(app, _) | Self::Run(app, _) => Some(app),
        }
    }

    pub(crate) fn end_user(self) -> Option<EndUserId> {
        match self {
            Self::EndUser(_, id) | Self::Run(_, id) => Some(id),
            Self::Organization | Self::Application(_) | Self::Member(..) => None,
        }
    }

    pub(crate) fn user(self) -> Option<UserId> {
        match self {
            Self::Member(_, id) => Some(id),
            _ => None,
        }
    }

    /// The value of `app.reach`, which the policies of row-level security compare with.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Application(_) => "application",
            Self::Member(..) => "member",
            Self::EndUser(..) => "end_user",
            Self::Run(..) => "run",
        }
    }
}

pub(crate) mod sealed {
    use super::{AppScope, Bounds, OrgScope, Reach, Sight, SystemScope, View};

    pub trait Sealed {
        /// `None`: the platform itself, which is the login user on PostgreSQL.
        fn tenant(&self) -> Option<Bounds>;
    }

    pub trait Bounded {
        fn bounds(&self) -> Bounds;
    }

    impl Bounded for OrgScope {
        fn bounds(&self) -> Bounds {
            Bounds { org: self.org, sight: Sight::Organization }
        }
    }

    impl Bounded for AppScope {
        fn bounds(&self) -> Bounds {
            let sight = match (self.reach, self.view) {
                (Reach::Application, _) => Sight::Application(self.app),
                (Reach::Member(user), _) => Sight::Member(self.app, user),
                (Reach::EndUser(end_user), View::Api) => Sight::EndUser(self.app, end_user),
                (Reach::EndUser(end_user), View::Run) => Sight::Run(self.app, end_user),
            };
            Bounds { org: self.org, sight }
        }
    }

    impl Sealed for OrgScope {
        fn tenant(&self) -> Option<Bounds> {
            Some(self.bounds())
        }
    }

    impl Sealed for AppScope {
        fn tenant(&self) -> Option<Bounds> {
            Some(self.bounds())
        }
    }

    impl Sealed for SystemScope {
        fn tenant(&self) -> Option<Bounds> {
            None
        }
    }
}
