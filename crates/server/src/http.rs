//! The HTTP server: its connections, how long they may be silent or not read, and how they end.

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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use crate::writing::{self, Writing};

/// How long connections may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the head of a request, and for the next one on a connection that is kept open.
    pub(crate) head: Duration,
    /// For a client to take something of what is written to it.
    pub(crate) write: Duration,
    /// For open requests, after the signal to stop.
    pub(crate) drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // Load balancers keep an idle connection for 60 s; the one that closes it must be they, or they send a request into the end.
        Self { head: Duration::from_secs(75), write: Duration::from_secs(30), drain: Duration::from_secs(10) }
    }
}

/// Serves until told to stop, and then what is open for as long as there is patience.
pub(crate) async fn serve(mut listener: TcpListener, app: Router, patience: Patience, shutdown: CancellationToken) {
    if let Err(error) = writing::keep_little(&listener) {
        tracing::warn!(%error, "could not bound what the kernel keeps for clients; some that read slowly are cut off");
    }
    let (connections, cut_off) = (TaskTracker::new(), CancellationToken::new());
    loop {
        // The listener waits a moment where descriptors run out, and passes over connections that broke while they were accepted.
        let (stream, address) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = shutdown.cancelled() => break,
        };
        let stream = Writing::new(stream, patience.write);
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

async fn connection<S>(stream: S, address: SocketAddr, app: Router, patience: Patience, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
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
        // The client's doing, mostly: it went away, was silent for too long or does not read.
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::ErrorKind;

    use axum::body::{Body, Bytes};
    use axum::routing::{get, post};
    use futures::StreamExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    /// No test waits for as long.
    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(50);
    const PATIENT: Patience = Patience { head: LONG, write: LONG, drain: LONG };

    struct Server {
        address: SocketAddr,
        shutdown: CancellationToken,
        serving: JoinHandle<()>,
        /// Cancelled when the server has dropped an endless answer.
        let_go: CancellationToken,
    }

    /// The same frame again and again, each after a pause; a silent stream says it once.
    fn frames(frame: &'static [u8], pause: Option<Duration>) -> Body {
        let first = futures::stream::once(async move { Ok::<_, Infallible>(Bytes::from_static(frame)) });
        let rest = futures::stream::repeat(frame).then(move |frame| async move {
            match pause {
                Some(pause) => sleep(pause).await,
                None => std::future::pending().await,
            }
            Ok(Bytes::from_static(frame))
        });
        Body::from_stream(first.chain(rest))
    }

    fn app(let_go: &CancellationToken) -> Router {
        let endless = |let_go: &CancellationToken| {
            let guard = let_go.clone().drop_guard();
            Body::from_stream(futures::stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16 * 1024]))).inspect(move |_| {
                let _held = &guard;
            }))
        };
        let (one, other) = (let_go.clone(), let_go.clone());
        Router::new()
            .route("/from", get(async |ConnectInfo(address): ConnectInfo<SocketAddr>| address.ip().to_string()))
            .route("/echo", post(async |body: String| body))
            .route("/stream", get(async || frames(b": first\n\n", None)))
            .route("/heartbeats", get(async || frames(b": beat\n\n", Some(Duration::from_secs(15)))))
            .route("/large", get(async || "x".repeat(64 * 1024)))
            .route("/endless/stream", get(async move || endless(&one)))
            .route("/endless/plain", get(async move || ([("content-length", "1000000000000")], endless(&other))))
    }

    async fn start(patience: Patience) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown, let_go) = (listener.local_addr().unwrap(), CancellationToken::new(), CancellationToken::new());
        Server { address, serving: tokio::spawn(serve(listener, app(&let_go), patience, shutdown.clone())), shutdown, let_go }
    }

    /// A client of this path with the usual patience, over a pipe that holds 1 KiB: time passes only when everybody waits.
    async fn piped(path: &str) -> (DuplexStream, JoinHandle<()>) {
        let (mut client, server) = tokio::io::duplex(1024);
        let (token, patience) = (CancellationToken::new(), Patience::default());
        let server = Writing::with(server, patience.write, |_| {});
        let serving = connection(server, ([127, 0, 0, 1], 1).into(), app(&token), patience, token);
        client.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        (client, tokio::spawn(serving))
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
            let count = timeout(LONG, client.read(&mut bytes)).await.unwrap().unwrap();
            assert!(count > 0, "ended after {read:?}");
            read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        read
    }

    /// What comes until the server closes the connection.
    async fn rest(client: &mut TcpStream) -> String {
        let mut read = Vec::new();
        timeout(LONG, client.read_to_end(&mut read)).await.expect("the server closes the connection").unwrap();
        String::from_utf8(read).unwrap()
    }

    const GET: &str = "GET /from HTTP/1.1\r\nhost: x\r\n\r\n";

    #[tokio::test]
    async fn a_head_that_does_not_end_ends_its_connection() {
        let server = start(Patience { head: SHORT, ..PATIENT }).await;
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
        let server = start(PATIENT).await;
        let mut client = server.connect(GET).await;
        assert!(until(&mut client, "127.0.0.1").await.starts_with("HTTP/1.1 200"));
        client.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nagain").await.unwrap();
        until(&mut client, "again").await;
    }

    #[tokio::test]
    async fn a_stream_is_not_a_silent_client_and_ends_with_the_server() {
        let server = start(Patience { head: SHORT, write: SHORT, drain: SHORT }).await;
        let mut stream = server.connect("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
        until(&mut stream, ": first").await;
        // A connection that has waited for as long as a head may take is gone by now; the stream is not.
        rest(&mut server.connect("").await).await;
        assert!(timeout(Duration::ZERO, stream.read_u8()).await.is_err());
        server.shutdown.cancel();
        timeout(LONG, server.serving).await.expect("the drain has a limit").unwrap();
        assert_eq!(rest(&mut stream).await, "");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_let_go_and_told_that_its_answer_is_not_whole() {
        for path in ["/endless/stream", "/endless/plain"] {
            let server = start(Patience { write: SHORT, ..PATIENT }).await;
            let mut client = server.connect(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
            timeout(LONG, server.let_go.cancelled()).await.expect("the server lets go");
            let error = timeout(LONG, client.read_to_end(&mut Vec::new())).await.expect("an end").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{path}");
            until(&mut server.connect(GET).await, "127.0.0.1").await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_to_read_begins_when_there_is_no_room_and_heartbeats_do_not_begin_it_anew() {
        let begin = Instant::now();
        let (_client, serving) = piped("/large").await;
        serving.await.unwrap();
        assert!((30..31).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());

        let (_client, serving) = piped("/heartbeats").await;
        timeout(Duration::from_hours(1), serving).await.expect("the pipe is full within minutes").unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_gets_everything() {
        let (mut client, serving) = piped("/large").await;
        let (mut answer, mut piece) = (Vec::new(), [0; 512]);
        loop {
            sleep(Duration::from_secs(29)).await;
            match client.read(&mut piece).await.unwrap() {
                0 => break,
                count => answer.extend_from_slice(&piece[..count]),
            }
        }
        assert!(answer.ends_with(&vec![b'x'; 64 * 1024]), "{} bytes", answer.len());
        serving.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_whose_client_reads_lives_on_however_little_is_said() {
        let (begin, (mut client, serving)) = (Instant::now(), piped("/heartbeats").await);
        let mut bytes = [0; 1024];
        while begin.elapsed() < Duration::from_hours(1) {
            assert!(client.read(&mut bytes).await.unwrap() > 0, "ended after {:?}", begin.elapsed());
        }
        assert!(!serving.is_finished());
    }

    #[tokio::test]
    async fn who_is_served_when_the_server_stops_is_served_to_the_end() {
        let server = start(PATIENT).await;
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
        timeout(LONG, server.serving).await.expect("nothing is left to wait for").unwrap();
        assert!(TcpStream::connect(server.address).await.is_err());
    }
}
