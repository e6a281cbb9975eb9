//! Versions of the API: which one speaks, what they say differently, and how one is given up.

mod deprecation;
mod documents;
mod golden;
mod pins;
mod runs;
