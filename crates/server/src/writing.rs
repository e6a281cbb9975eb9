//! What is written to a client that does not read: for how long it is tried, and how much of it waits in the kernel.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// Bytes that the kernel takes from the server before the client has room for them.
///
/// Without a bound it takes megabytes, and says that there is room again only when a third of them is gone: a client that reads
/// 50 KB a second would look like one that does not read.
const UNSENT: u32 = 64 * 1024;

/// Bounds what waits in the kernel, for every connection that is accepted here: they inherit it.
pub(crate) fn keep_little(listener: &TcpListener) -> io::Result<()> {
    SockRef::from(listener).set_tcp_notsent_lowat(UNSENT)
}

/// A connection on which something must be written in time, once there is something to write.
///
/// Hyper goes on asking for frames of a stream until its own buffer is full, so the time counts from the first write that found no
/// room, whatever else is queued meanwhile.
#[derive(Debug)]
pub(crate) struct Writing<S> {
    stream: S,
    patience: Duration,
    /// Runs while there is no room.
    limit: Option<Pin<Box<Sleep>>>,
    give_up: fn(&S),
}

impl Writing<TcpStream> {
    pub(crate) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self::with(stream, patience, |stream| {
            // Otherwise the kernel would go on with what it has, for minutes. Whether it can be told changes nothing here.
            stream.set_zero_linger().ok();
        })
    }
}

impl<S> Writing<S> {
    /// `give_up` is called before the write fails.
    pub(crate) fn with(stream: S, patience: Duration, give_up: fn(&S)) -> Self {
        Self { stream, patience, limit: None, give_up }
    }

    fn in_time<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.limit = None;
            return written;
        }
        let patience = self.patience;
        ready!(self.limit.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(context));
        (self.give_up)(&self.stream);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Writing<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Writing<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// A socket keeps nothing back, so that this finds nothing to wait for.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_takes_little_that_nobody_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        keep_little(&listener).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        server.writable().await.unwrap();
        let mut taken = 0;
        while let Ok(count) = server.try_write(&[0; 16 * 1024]) {
            taken += count;
        }
        assert!(taken < 1024 * 1024, "{taken}");
    }
}
