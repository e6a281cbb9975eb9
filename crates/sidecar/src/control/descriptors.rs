//! Descriptors that the worker passes: the tool host's socket and the two listeners, in one message (SCM_RIGHTS).

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::{TcpListener, UnixStream};

/// What one sandbox start hands over.
#[derive(Debug)]
pub struct SandboxSockets {
    /// To the tool host.
    pub tools: UnixStream,
    /// `http://sidecar:8080`.
    pub proxy: TcpListener,
    /// `http://sidecar:8081`.
    pub forward: TcpListener,
}

/// Waits for the message with exactly three descriptors and makes them non-blocking sockets of this runtime.
pub async fn receive(socket: &UnixStream) -> io::Result<SandboxSockets> {
    let descriptors = socket.async_io(Interest::READABLE, || receive_now(socket)).await?;
    let [tools, proxy, forward] = <[OwnedFd; 3]>::try_from(descriptors)
        .map_err(|found| io::Error::new(io::ErrorKind::InvalidData, format!("{} descriptors came where three were due", found.len())))?;
    let tools = std::os::unix::net::UnixStream::from(tools);
    let (proxy, forward) = (std::net::TcpListener::from(proxy), std::net::TcpListener::from(forward));
    // tokio takes only sockets that do not block.
    tools.set_nonblocking(true)?;
    proxy.set_nonblocking(true)?;
    forward.set_nonblocking(true)?;
    Ok(SandboxSockets {
        tools: UnixStream::from_std(tools)?,
        proxy: TcpListener::from_std(proxy)?,
        forward: TcpListener::from_std(forward)?,
    })
}

fn receive_now(socket: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    let mut payload = [0; 64];
    let mut buffers = [io::IoSliceMut::new(&mut payload)];
    // Room for more than is due, so that a message with too many is seen and not silently cut.
    let mut space = nix::cmsg_space!([std::os::fd::RawFd; 8]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut buffers, Some(&mut space), flags).map_err(|error| match error {
        Errno::EAGAIN => io::Error::from(io::ErrorKind::WouldBlock),
        other => other.into(),
    })?;
    let mut descriptors = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = control {
            #[expect(unsafe_code, reason = "a received descriptor has no owner yet; nix hands out raw numbers only")]
            // SAFETY: the kernel has just installed these descriptors for this process and nothing else knows their numbers.
            descriptors.extend(raw.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
        }
    }
    if message.bytes == 0 && descriptors.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(descriptors)
}
