//! Notifications: runs that have ended and that nobody has marked as read.

use std::collections::BTreeMap;

use domain::PackageName;
use serde::Serialize;

/// The constant `unread_count`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum UnreadCountObject {
    #[serde(rename = "unread_count")]
    UnreadCount,
}

/// How many ended runs are unread.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UnreadCount {
    pub object: UnreadCountObject,
    /// At most 10,000, which then stands for that and more.
    #[cfg_attr(feature = "schema", schema(maximum = 10_000, example = 3))]
    pub count: u64,
}

/// The constant `unread_counts`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum UnreadCountsObject {
    #[serde(rename = "unread_counts")]
    UnreadCounts,
}

/// How many ended runs are unread, by agent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UnreadCounts {
    pub object: UnreadCountsObject,
    /// Agents without unread runs are left out. An inline run belongs to no agent; `unread-count` counts it.
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<String, u64>, example = json!({"@acme/refund-triage": 2})))]
    pub counts: BTreeMap<PackageName, u64>,
}

/// The constant `notification_read`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum NotificationReadObject {
    #[serde(rename = "notification_read")]
    NotificationRead,
}

/// What marking one run as read has changed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotificationRead {
    pub object: NotificationReadObject,
    /// False: the run had been read, has not ended, or notifies somebody else.
    pub ok: bool,
}

/// The constant `notifications_read`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum NotificationsReadObject {
    #[serde(rename = "notifications_read")]
    NotificationsRead,
}

/// What marking everything as read has changed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotificationsRead {
    pub object: NotificationsReadObject,
    /// Runs that are read now and were not before; at most 10,000 at once.
    #[cfg_attr(feature = "schema", schema(maximum = 10_000, example = 3))]
    pub updated: u64,
}
