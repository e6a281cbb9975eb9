//! Hostile and broken input against the real server: every story ends in a clear error on the run or the request, one terminal
//! event, nothing left behind, and a server that serves the next run.
//!
//! | module | what is bad |
//! |---|---|
//! | `archives` | ZIPs and manifests over HTTP |
//! | `requests` | bodies, references that are not there, too many runs |
//! | `tools` | TypeScript tools |
//! | `shell` | what `bash` is told to do |
//! | `model` | the model's answers |
//! | `life` | cancels, timeouts and kills |

mod archives;
mod life;
mod model;
mod processes;
mod requests;
mod shell;
mod support;
mod tools;
