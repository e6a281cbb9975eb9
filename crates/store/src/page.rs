//! Numbered pages.

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// Items on a page, 1 to 100; the caller has checked it.
    pub size: u32,
}

impl Page {
    pub const FIRST: Self = Self { page: 1, size: 20 };

    pub(crate) fn offset(self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.size)
    }

    pub(crate) fn limit(self) -> u64 {
        u64::from(self.size)
    }
}

/// One page, and how many items there are in all. A page past the end is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    pub items: Vec<T>,
    pub total: u64,
}

impl<T> Paged<T> {
    /// Turns each item into another, or stops at the first that cannot be.
    pub fn try_map<U, E>(self, turn: impl FnMut(T) -> Result<U, E>) -> Result<Paged<U>, E> {
        Ok(Paged { items: self.items.into_iter().map(turn).collect::<Result<_, E>>()?, total: self.total })
    }
}
