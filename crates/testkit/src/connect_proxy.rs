//! An outbound proxy on loopback that opens tunnels (`CONNECT`) for one user and counts them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A head beyond this is no client's of ours.
const LONGEST_HEAD: usize = 16 * 1024;

/// A running proxy. Stops when dropped.
#[derive(Debug)]
pub struct ConnectProxy {
    address: SocketAddr,
    password: String,
    opened: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl ConnectProxy {
    /// Listens on a free port of 127.0.0.1 and lets in the user `exit` with this password.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let opened: Arc<Mutex<Vec<String>>> = Arc::default();
        let wanted: Arc<str> = format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("exit:{password}"))).into();
        let log = Arc::clone(&opened);
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (wanted, log) = (Arc::clone(&wanted), Arc::clone(&log));
                tokio::spawn(async move {
                    if let Err(error) = serve(socket, &wanted, &log).await {
                        tracing::debug!(%error, "a tunnel broke");
                    }
                });
            }
        });
        Self { address, password: password.to_owned(), opened, server }
    }

    /// Its address with the credentials that it wants.
    pub fn url(&self) -> String {
        format!("http://exit:{}@{}", self.password, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the tunnels led that it has opened, in order.
    ///
    /// # Panics
    /// Never: nothing panics while it holds the list.
    pub fn opened(&self) -> Vec<String> {
        self.opened.lock().expect("nothing panics while it holds the list").clone()
    }
}

async fn serve(mut socket: TcpStream, wanted: &str, opened: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        head.push(socket.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let Some(to) = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else {
        return socket.write_all(b"HTTP/1.1 405 Only CONNECT\r\n\r\n").await;
    };
    if !head.contains(wanted) {
        return socket.write_all(b"HTTP/1.1 407 Who are you\r\n\r\n").await;
    }
    let Ok(mut target) = TcpStream::connect(to).await else {
        return socket.write_all(b"HTTP/1.1 502 Nobody there\r\n\r\n").await;
    };
    opened.lock().expect("nothing panics while it holds the list").push(to.to_owned());
    socket.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    copy_bidirectional(&mut socket, &mut target).await.map(drop)
}
