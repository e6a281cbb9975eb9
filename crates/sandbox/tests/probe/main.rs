//! A tool host that carries out attacks instead of tools, for the tests of this crate.
//!
//! - `launch`: what a worker starts; becomes the sandbox, then answers lines on the tools socket.
//! - `attempt <name> [argument]`: one attempt, in a process of its own as a shell would start it; prints the outcome.
//! - `worker [none]`: a worker that starts one sandbox and passes lines on; `none`: without cgroups.

mod attempts;
mod host;
mod syscalls;
mod worker;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["launch"] => Ok(host::serve(&sandbox::launcher::enter()?.socket)?),
        ["attempt", name, rest @ ..] => Ok(host::print(&attempts::carry_out(name, rest.first().copied().unwrap_or_default()))?),
        ["worker", rest @ ..] => worker::run(rest.first() != Some(&"none")),
        _ => Err("usage: sandbox-probe launch | attempt <name> [argument] | worker [none]".into()),
    }
}
