//! `CONNECT` (RFC 9110 §9.3.6) with Basic credentials (RFC 7617).

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::{Credentials, ProxyFailure, broken};

/// A head beyond this is no proxy's.
const LONGEST_HEAD: usize = 16 * 1024;

pub(super) async fn ask<L>(link: &mut L, to: SocketAddr, credentials: Option<&Credentials>) -> Result<(), ProxyFailure>
where
    L: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = Zeroizing::new(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n"));
    if let Some(Credentials { user, password }) = credentials {
        let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
        request.push_str(&Zeroizing::new(format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(pair.as_bytes()))));
    }
    request.push_str("\r\n");
    link.write_all(request.as_bytes()).await.map_err(broken)?;
    link.flush().await.map_err(broken)?;
    match status(&head(link).await?)? {
        200..=299 => Ok(()),
        407 => Err(ProxyFailure::Unauthorized),
        status => Err(ProxyFailure::Refused { status }),
    }
}

/// Reads to the empty line and not a byte further: what follows is the tunnel's.
async fn head<L: AsyncRead + Unpin>(link: &mut L) -> Result<Vec<u8>, ProxyFailure> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if head.len() == LONGEST_HEAD {
            return Err(ProxyFailure::Protocol);
        }
        head.push(link.read_u8().await.map_err(broken)?);
    }
    Ok(head)
}

/// The code of `HTTP/1.1 200 …`.
fn status(head: &[u8]) -> Result<u16, ProxyFailure> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut parts = line.trim_ascii_end().splitn(3, |byte| *byte == b' ');
    let (version, code) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let number = std::str::from_utf8(code).ok().filter(|code| code.len() == 3).and_then(|code| code.parse::<u16>().ok());
    number.filter(|_| version.starts_with(b"HTTP/1.")).filter(|number| (200..=599).contains(number)).ok_or(ProxyFailure::Protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    static ENDLESS: [u8; LONGEST_HEAD + 10] = [b'x'; LONGEST_HEAD + 10];

    async fn answered(with: &'static [u8]) -> (Result<(), ProxyFailure>, Vec<u8>) {
        let (mut near, mut far) = tokio::io::duplex(32 * 1024);
        far.write_all(with).await.expect("fits");
        far.shutdown().await.expect("shuts down");
        let outcome = ask(&mut near, "192.0.2.1:443".parse().expect("address"), None).await;
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.expect("reads");
        (outcome, rest)
    }

    #[tokio::test]
    async fn what_follows_the_head_stays_in_the_tunnel() {
        let (outcome, rest) = answered(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nhello").await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(rest, b"hello");
        assert!(answered(b"HTTP/1.0 204\r\n\r\n").await.0.is_ok());
    }

    #[tokio::test]
    async fn every_other_answer_has_its_own_failure() {
        assert!(matches!(answered(b"HTTP/1.1 407 Who\r\n\r\n").await.0, Err(ProxyFailure::Unauthorized)));
        assert!(matches!(answered(b"HTTP/1.1 403 No\r\n\r\n").await.0, Err(ProxyFailure::Refused { status: 403 })));
        for nonsense in
            [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], b"HTTP/1.1 2000 OK\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b"\r\n\r\n", b"HTTP/1.1\n\n"]
        {
            assert!(matches!(answered(nonsense).await.0, Err(ProxyFailure::Protocol)), "{}", String::from_utf8_lossy(nonsense));
        }
        assert!(matches!(answered(b"HTTP/1.1 200 OK\r\n").await.0, Err(ProxyFailure::Broken { .. })));
        assert!(matches!(answered(&ENDLESS).await.0, Err(ProxyFailure::Protocol)));
    }
}
