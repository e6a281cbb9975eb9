//! SOCKS5 (RFC 1928) with user name and password (RFC 1929). Asks for addresses only, never for names.
//!
//! Of our own, because what hyper-util has reads on into the tunnel and hides the code of a refusal.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::{Credentials, ProxyFailure, SocksReply, broken};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
/// Of the negotiation within (RFC 1929 §2).
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

pub(super) async fn ask<L>(link: &mut L, to: SocketAddr, credentials: Option<&Credentials>) -> Result<(), ProxyFailure>
where
    L: AsyncRead + AsyncWrite + Unpin,
{
    let methods: &[u8] = if credentials.is_some() { &[NO_AUTHENTICATION, USER_AND_PASSWORD] } else { &[NO_AUTHENTICATION] };
    let count = u8::try_from(methods.len()).expect("there are two");
    send(link, &[&[VERSION, count], methods].concat()).await?;
    match (receive::<2, L>(link).await?, credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, USER_AND_PASSWORD], Some(credentials)) => log_in(link, credentials).await?,
        ([VERSION, NONE_ACCEPTABLE], _) => return Err(ProxyFailure::Unauthorized),
        _ => return Err(ProxyFailure::Protocol),
    }
    send(link, &request(to)).await?;
    let [version, reply, _, kind] = receive::<4, L>(link).await?;
    if version != VERSION {
        return Err(ProxyFailure::Protocol);
    }
    if reply != 0 {
        return Err(ProxyFailure::Socks { reply: SocksReply(reply) });
    }
    // The address that the proxy calls from, which nobody asks for, and its port.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(receive::<1, L>(link).await?[0]),
        _ => return Err(ProxyFailure::Protocol),
    };
    let mut rest = vec![0; length + 2];
    link.read_exact(&mut rest).await.map_err(broken)?;
    Ok(())
}

async fn log_in<L>(link: &mut L, Credentials { user, password }: &Credentials) -> Result<(), ProxyFailure>
where
    L: AsyncRead + AsyncWrite + Unpin,
{
    let mut message = Zeroizing::new(vec![PASSWORD_VERSION]);
    for field in [user, password.expose()] {
        message.push(u8::try_from(field.len()).expect("checked when the address was read"));
        message.extend_from_slice(field.as_bytes());
    }
    send(link, &message).await?;
    match receive::<2, L>(link).await? {
        [PASSWORD_VERSION, 0] => Ok(()),
        [PASSWORD_VERSION, _] => Err(ProxyFailure::Unauthorized),
        _ => Err(ProxyFailure::Protocol),
    }
}

fn request(to: SocketAddr) -> Vec<u8> {
    let mut message = vec![VERSION, CONNECT, 0];
    match to {
        SocketAddr::V4(to) => {
            message.push(IPV4);
            message.extend_from_slice(&to.ip().octets());
        }
        SocketAddr::V6(to) => {
            message.push(IPV6);
            message.extend_from_slice(&to.ip().octets());
        }
    }
    message.extend_from_slice(&to.port().to_be_bytes());
    message
}

async fn send<L: AsyncWrite + Unpin>(link: &mut L, message: &[u8]) -> Result<(), ProxyFailure> {
    link.write_all(message).await.map_err(broken)?;
    link.flush().await.map_err(broken)
}

async fn receive<const N: usize, L: AsyncRead + Unpin>(link: &mut L) -> Result<[u8; N], ProxyFailure> {
    let mut message = [0; N];
    link.read_exact(&mut message).await.map_err(broken)?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use domain::Secret;

    use super::*;

    /// Plays `server` against a request with credentials; what was sent, what came of it, and what was left unread.
    async fn play(to: &str, server: &'static [u8]) -> (Vec<u8>, Result<(), ProxyFailure>, Vec<u8>) {
        let (mut near, mut far) = tokio::io::duplex(1024);
        far.write_all(server).await.expect("fits");
        let credentials = Credentials { user: "ada".to_owned(), password: Secret::from("pw") };
        let outcome = ask(&mut near, to.parse().expect("address"), Some(&credentials)).await;
        near.shutdown().await.expect("shuts down");
        let mut sent = Vec::new();
        far.read_to_end(&mut sent).await.expect("reads");
        drop(far);
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.expect("reads");
        (sent, outcome, rest)
    }

    #[tokio::test]
    async fn the_messages_are_those_of_the_standards() {
        let (sent, outcome, rest) = play("192.0.2.1:443", b"\x05\x02\x01\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x1f\x90hello").await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(sent, b"\x05\x02\x00\x02\x01\x03ada\x02pw\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb");
        assert_eq!(rest, b"hello", "the tunnel's bytes are left");

        let (sent, outcome, _) = play("[2001:db8::1]:80", b"\x05\x00\x05\x00\x00\x03\x01x\x00\x50").await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(sent, b"\x05\x02\x00\x02\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50");
    }

    #[tokio::test]
    async fn refusals_keep_their_code() {
        for server in [&b"\x05\xff"[..], b"\x05\x02\x01\x01"] {
            let (_, outcome, _) = play("192.0.2.1:443", server).await;
            assert!(matches!(outcome, Err(ProxyFailure::Unauthorized)), "{outcome:?}");
        }
        let (_, outcome, _) = play("192.0.2.1:443", b"\x05\x00\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00").await;
        assert!(matches!(outcome, Err(ProxyFailure::Socks { reply: SocksReply(2) })), "{outcome:?}");
        assert!(outcome.expect_err("refused").to_string().ends_with("not allowed by its rules"));
        for server in [&b"HT"[..], b"\x05\x07", b"\x05\x02\x05\x00", b"\x05\x00\x04\x00\x00\x01", b"\x05\x00\x05\x00\x00\x09"] {
            let (_, outcome, _) = play("192.0.2.1:443", server).await;
            assert!(matches!(outcome, Err(ProxyFailure::Protocol)), "{server:?}: {outcome:?}");
        }
    }
}
