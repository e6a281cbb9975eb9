//! A request that is sent again is answered, not repeated.

mod faults;
mod key;
mod parallel;
mod refusals;
mod replay;
mod stepped;
