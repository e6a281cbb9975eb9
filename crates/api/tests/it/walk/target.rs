//! Whose row a request means.

/// The owner of the row that the path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The caller's application; where rows are an end-user's, the first end-user's.
    Own,
    SiblingEndUser,
    SiblingApplication,
    ForeignOrganization,
    /// A row of a foreign organization behind a parent of the caller's own.
    ForeignChild,
    /// Well formed, and of nobody, behind a parent of the caller's own.
    RandomChild,
    /// Well formed, and of nobody.
    Random,
    Malformed,
}

impl Target {
    pub(crate) const ALL: [Self; 8] = [
        Self::Own,
        Self::SiblingEndUser,
        Self::SiblingApplication,
        Self::ForeignOrganization,
        Self::ForeignChild,
        Self::RandomChild,
        Self::Random,
        Self::Malformed,
    ];
}

/// Who sees the rows of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The organization itself, and what all its applications share.
    Organization,
    /// Applications: all for members, its own for a key.
    Application,
    /// Shared by all callers of one application.
    Shared,
    /// An end-user's own, beside the application itself.
    Private,
    /// An end-user's own, which members do not share.
    Held,
    /// A user's own, whatever the user may do in an organization: the owner's.
    Account,
    /// Whoever holds a secret, signed in or not.
    Secret,
    /// A name that anybody may ask for; what is kept under it is the caller's own.
    Open,
}
