//! The HTTP server: its connections, how long they may be silent, and how they end.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

/// How long connections may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the head of a request, and for the next one on a connection that is kept open.
    pub(crate) head: Duration,
    /// For open requests, after the signal to stop.
    pub(crate) drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // Load balancers keep an idle connection for 60 s; the one that closes it must be they, or they send a request into the end.
        Self { head: Duration::from_secs(75), drain: Duration::from_secs(10) }
    }
}

/// Serves until told to stop, and then what is open for as long as there is patience.
pub(crate) async fn serve(mut listener: TcpListener, app: Router, patience: Patience, shutdown: CancellationToken) {
    let (connections, cut_off) = (TaskTracker::new(), CancellationToken::new());
    loop {
        // The listener waits a moment where descriptors run out, and passes over connections that broke while they were accepted.
        let (stream, address) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = shutdown.cancelled() => break,
        };
        let serving = connection(stream, address, app.clone(), patience, shutdown.clone());
        let cut_off = cut_off.clone();
        connections.spawn(async move {
            tokio::select! {
                () = serving => {}
                () = cut_off.cancelled() => {}
            }
        });
    }
    drop(listener);
    connections.close();
    // Streams have no end of their own, so the drain has a limit.
    if tokio::time::timeout(patience.drain, connections.wait()).await.is_err() {
        tracing::warn!("open requests were cut off");
        cut_off.cancel();
        connections.wait().await;
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, app: Router, patience: Patience, shutdown: CancellationToken) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        app.clone().call(request)
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(patience.head);
    let mut serving = pin!(server.serve_connection(TokioIo::new(stream), service));
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = outcome {
        // The client's doing, mostly: it went away or was silent for too long.
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::{Body, Bytes};
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// No test waits for as long.
    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(50);

    struct Server {
        address: SocketAddr,
        shutdown: CancellationToken,
        serving: tokio::task::JoinHandle<()>,
    }

    async fn start(patience: Patience) -> Server {
        let endless = async || {
            let frames = futures::stream::unfold(true, |is_first| async move {
                if !is_first {
                    std::future::pending::<()>().await;
                }
                Some((Ok::<_, Infallible>(Bytes::from_static(b": first\n\n")), false))
            });
            Body::from_stream(frames)
        };
        let from = async |ConnectInfo(address): ConnectInfo<SocketAddr>| address.ip().to_string();
        let app = Router::new().route("/from", get(from)).route("/echo", post(async |body: String| body)).route("/stream", get(endless));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        Server { address, serving: tokio::spawn(serve(listener, app, patience, shutdown.clone())), shutdown }
    }

    impl Server {
        async fn connect(&self, text: &str) -> TcpStream {
            let mut client = TcpStream::connect(self.address).await.unwrap();
            client.write_all(text.as_bytes()).await.unwrap();
            client
        }
    }

    /// What comes until the text does.
    async fn until(client: &mut TcpStream, text: &str) -> String {
        let mut read = String::new();
        while !read.contains(text) {
            let mut bytes = [0; 1024];
            let count = tokio::time::timeout(LONG, client.read(&mut bytes)).await.unwrap().unwrap();
            assert!(count > 0, "ended after {read:?}");
            read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        read
    }

    /// What comes until the server closes the connection.
    async fn rest(client: &mut TcpStream) -> String {
        let mut read = Vec::new();
        tokio::time::timeout(LONG, client.read_to_end(&mut read)).await.expect("the server closes the connection").unwrap();
        String::from_utf8(read).unwrap()
    }

    const GET: &str = "GET /from HTTP/1.1\r\nhost: x\r\n\r\n";

    #[tokio::test]
    async fn a_head_that_does_not_end_ends_its_connection() {
        let server = start(Patience { head: SHORT, drain: LONG }).await;
        for beginning in ["", "G", "GET /from HTTP/1.1\r\nhost: x\r\nx-slow: "] {
            let mut client = server.connect(beginning).await;
            assert_eq!(rest(&mut client).await, "", "{beginning:?}");
        }
        // One that was kept open, too.
        let mut client = server.connect(GET).await;
        assert!(rest(&mut client).await.ends_with("127.0.0.1"));
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_after_another() {
        let server = start(Patience { head: LONG, drain: LONG }).await;
        let mut client = server.connect(GET).await;
        assert!(until(&mut client, "127.0.0.1").await.starts_with("HTTP/1.1 200"));
        client.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nagain").await.unwrap();
        until(&mut client, "again").await;
    }

    #[tokio::test]
    async fn a_stream_is_not_a_silent_client_and_ends_with_the_server() {
        let server = start(Patience { head: SHORT, drain: SHORT }).await;
        let mut stream = server.connect("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
        until(&mut stream, ": first").await;
        // A connection that has waited for as long as a head may take is gone by now; the stream is not.
        rest(&mut server.connect("").await).await;
        assert!(tokio::time::timeout(Duration::ZERO, stream.read_u8()).await.is_err());
        server.shutdown.cancel();
        tokio::time::timeout(LONG, server.serving).await.expect("the drain has a limit").unwrap();
        assert_eq!(rest(&mut stream).await, "");
    }

    #[tokio::test]
    async fn who_is_served_when_the_server_stops_is_served_to_the_end() {
        let server = start(Patience { head: LONG, drain: LONG }).await;
        let mut idle = server.connect(GET).await;
        until(&mut idle, "127.0.0.1").await;
        let mut busy = server.connect("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await;
        // A third client is answered, so the second one's head was read before the server stops.
        until(&mut server.connect(GET).await, "127.0.0.1").await;
        server.shutdown.cancel();
        assert_eq!(rest(&mut idle).await, "", "nothing is open there");
        busy.write_all(b" done").await.unwrap();
        let answer = rest(&mut busy).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("half done"), "{answer}");
        tokio::time::timeout(LONG, server.serving).await.expect("nothing is left to wait for").unwrap();
        assert!(TcpStream::connect(server.address).await.is_err());
    }
}
