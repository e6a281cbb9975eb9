//! Which members a body gives, for the audit row of a change.

/// The names of those that are there.
pub(super) fn given<const MEMBERS: usize>(members: [(&'static str, bool); MEMBERS]) -> Vec<&'static str> {
    members.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect()
}
