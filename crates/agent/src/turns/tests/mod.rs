//! Stories of whole runs. Time is paused: sleeps end as soon as nothing else can happen.

mod endings;
mod tools;
mod world;
