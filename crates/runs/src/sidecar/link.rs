//! The worker's end of a sidecar's two sockets.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wire::control::{FromSidecar, ToSidecar};

/// Messages that may wait for the sidecar to read them. A sidecar that lets more pile up is not reading at all.
const WAITING_MESSAGES: usize = 1024;

/// Messages that are read ahead of the executor; beyond them the socket pushes back.
const READ_AHEAD: usize = 64;

/// Speaks with one sidecar. Reading and writing go on in tasks of their own, so that neither holds up a deadline.
#[derive(Debug)]
pub(crate) struct Link {
    incoming: mpsc::Receiver<FromSidecar>,
    sender: LinkSender,
    descriptors: OwnedFd,
    /// A message could not be put into a frame.
    unsendable: CancellationToken,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// Sends to the sidecar without waiting. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct LinkSender(mpsc::Sender<ToSidecar>);

/// The sidecar is gone or has stopped reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sidecar does not answer")]
pub(crate) struct SidecarGone;

impl LinkSender {
    pub(crate) fn send(&self, message: ToSidecar) -> Result<(), SidecarGone> {
        self.0.try_send(message).map_err(|_| SidecarGone)
    }
}

impl Link {
    pub(crate) fn open(control: UnixStream, descriptors: OwnedFd) -> Self {
        let (mut reader, mut writer) = control.into_split();
        let (push, incoming) = mpsc::channel(READ_AHEAD);
        let (sender, mut outgoing) = mpsc::channel::<ToSidecar>(WAITING_MESSAGES);
        let read = tokio::spawn(async move {
            loop {
                match wire::frame::receive::<FromSidecar>(&mut reader).await {
                    Ok(Some(message)) => {
                        if push.send(message).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => return,
                    Err(error) => {
                        tracing::warn!(%error, "could not read from a sidecar");
                        return;
                    }
                }
            }
        });
        let unsendable = CancellationToken::new();
        let broken = unsendable.clone();
        let write = tokio::spawn(async move {
            while let Some(message) = outgoing.recv().await {
                if let Err(error) = wire::frame::send(&mut writer, &message).await {
                    if error.kind() == io::ErrorKind::InvalidData {
                        tracing::error!(%error, "a message is too large for the sidecar, which would wait for it for ever");
                        broken.cancel();
                        return;
                    }
                    // A sidecar that has ended closes its socket; the reader says so, too.
                    tracing::debug!(%error, "could not write to a sidecar");
                    return;
                }
            }
        });
        let tasks = [AbortOnDropHandle::new(read), AbortOnDropHandle::new(write)];
        Self { incoming, sender: LinkSender(sender), descriptors, unsendable, _tasks: tasks }
    }

    /// The next message; `None` once the sidecar has closed its end, or cannot be answered. Cancel-safe.
    pub(crate) async fn receive(&mut self) -> Option<FromSidecar> {
        tokio::select! {
            biased;
            message = self.incoming.recv() => message,
            () = self.unsendable.cancelled() => None,
        }
    }

    pub(crate) fn sender(&self) -> &LinkSender {
        &self.sender
    }

    /// Puts the descriptors into the sidecar's hands, in this order, in one message (SCM_RIGHTS, unix(7)).
    pub(crate) fn pass(&self, descriptors: &[OwnedFd]) -> io::Result<()> {
        let raw: Vec<_> = descriptors.iter().map(std::os::fd::AsRawFd::as_raw_fd).collect();
        // A message without data would read as the end of the stream.
        let data = [IoSlice::new(&[1])];
        let rights = [ControlMessage::ScmRights(&raw)];
        sendmsg::<()>(self.descriptors.as_raw_fd(), &data, &rights, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT, None)?;
        Ok(())
    }
}
