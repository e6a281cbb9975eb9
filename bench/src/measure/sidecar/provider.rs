//! The smallest provider: a fixed answer with a key, and the load program in pieces.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Below what the proxy passes on at most.
const PIECE: usize = 900_000;
const ITEM: &[u8] = br#"{"id":"item_1","name":"Analytical Engine, brass","price":129.5}"#;

/// A running provider. Stops when dropped.
#[derive(Debug)]
pub(super) struct Provider {
    address: SocketAddr,
    pieces: usize,
    server: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Provider {
    pub(super) async fn start(program: Vec<u8>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let pieces = program.len().div_ceil(PIECE);
        let program = Arc::new(program);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, program.clone()));
            }
        });
        Ok(Self { address, pieces, server })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn pieces(&self) -> usize {
        self.pieces
    }
}

/// Answers GETs until the other side goes away, which is how every connection ends here.
async fn serve(mut stream: TcpStream, program: Arc<Vec<u8>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        while !buffer.windows(4).any(|window| window == b"\r\n\r\n") {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let head = String::from_utf8_lossy(&buffer).into_owned();
        buffer.clear();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let piece = path.strip_prefix("/program/").and_then(|index| index.parse::<usize>().ok());
        let (status, kind, body): (&str, &str, &[u8]) = if !head.contains("Bearer bench-provider-key") {
            ("401 Unauthorized", "application/json", b"{}")
        } else if let Some(piece) = piece.and_then(|index| program.chunks(PIECE).nth(index)) {
            ("200 OK", "application/octet-stream", piece)
        } else {
            ("200 OK", "application/json", ITEM)
        };
        let mut answer = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend_from_slice(body);
        stream.write_all(&answer).await?;
    }
}
