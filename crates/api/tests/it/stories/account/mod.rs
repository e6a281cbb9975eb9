//! `/api/me`, `/api/profile`, `/api/welcome`.

mod me;
mod profile;
mod welcome;
