//! The envelope of every list.

use serde::Serialize;

/// A page of a list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// Always `list`.
    pub object: ListObject,
    pub data: Vec<T>,
    pub pagination: Pagination,
}

/// The constant `list`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ListObject {
    List,
}

/// Where a page lies in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// From 1.
    pub page: u64,
    /// 1 to 100.
    pub page_size: u64,
    /// Rows in the whole list.
    pub total: u64,
    pub total_pages: u64,
}

impl<T> List<T> {
    /// Wraps one page of `total` rows.
    pub fn page(data: Vec<T>, page: u64, page_size: u64, total: u64) -> Self {
        Self {
            object: ListObject::List,
            data,
            pagination: Pagination { page, page_size, total, total_pages: total.div_ceil(page_size.max(1)) },
        }
    }
}
