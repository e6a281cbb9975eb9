//! The sandbox from outside and, through the probe, from inside.

mod attack;
mod lifetime;
mod limits;
mod network;
mod support;
