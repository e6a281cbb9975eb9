//! Notifications.

mod read;
mod unread;
