//! The per-run process: hosts the model loop, holds the run's credentials, and is the sandbox's only way out.
//!
//! One process per run, without database, master key or environment. It reads the run from an inherited socket, sends events and
//! ledger rows back the same way, and ends with the run.
//!
//! | module | owns |
//! |---|---|
//! | [`host`] | putting a run together and reporting its end |
//! | [`control`] | the connection to the worker |
//! | [`model`] | clients of language models |
//! | [`meter`] | the ledger of model calls |
//! | [`hands`] | the sandbox's tool host, and who carries out which tool |
//! | [`proxy`] | `http://sidecar:8080`: provider requests with credentials |
//! | [`provider_call`], [`run_history`] | the same as tools |
//! | [`forward`] | `http://sidecar:8081`: the agent's own HTTP |
//! | [`recorder`] | events of both proxies |

pub mod control;
pub mod forward;
pub mod hands;
pub mod host;
mod http_io;
pub mod limits;
pub mod meter;
pub mod model;
pub mod provider_call;
pub mod proxy;
pub mod recorder;
pub mod run_history;
#[cfg(test)]
mod testing;
mod transport;

pub use http_io::serve;
pub use transport::ModelTransport;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use tokio::net::UnixStream;

/// Serves one run over the descriptors that the worker has left as 0 (frames) and 1 (descriptors). See [`run`].
pub async fn main() -> ExitCode {
    match (inherited(&io::stdin()), inherited(&io::stdout())) {
        (Ok(control), Ok(descriptors)) => run(control, descriptors).await,
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "could not use the inherited sockets");
            ExitCode::FAILURE
        }
    }
}

/// A copy of an inherited socket, closed on exec and not blocking. (The standard streams are the way to it without `unsafe`.)
fn inherited(stream: &impl AsFd) -> io::Result<UnixStream> {
    let descriptor: OwnedFd = stream.as_fd().try_clone_to_owned()?;
    let socket = std::os::unix::net::UnixStream::from(descriptor);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

/// Serves one run over the inherited sockets: frames on `control`, descriptors on `descriptors`. Fails only when the worker is lost or
/// speaks nonsense; a run that fails is reported and is no failure of the process.
pub async fn run(control: UnixStream, descriptors: UnixStream) -> ExitCode {
    match host::run(control, descriptors).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "could not serve the run to its end");
            ExitCode::FAILURE
        }
    }
}
