//! Why a proxy did not open a tunnel.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::Error;

/// What went wrong at the proxy. The texts name neither the proxy nor its credentials: agents read them.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProxyFailure {
    /// Also when the policy forbids the proxy's own address.
    #[error("the outbound proxy could not be reached")]
    Unreachable { source: Arc<Error> },
    #[error("the outbound proxy wants other credentials")]
    Unauthorized,
    #[error("the outbound proxy refused the connection with status {status}")]
    Refused { status: u16 },
    #[error("the outbound proxy refused the connection: {reply}")]
    Socks { reply: SocksReply },
    #[error("the outbound proxy does not speak the protocol of its address")]
    Protocol,
    #[error("the outbound proxy closed the connection")]
    Broken { source: Arc<io::Error> },
    #[error("the outbound proxy did not answer in time")]
    Timeout,
}

impl ProxyFailure {
    /// Whether another address of the same target may fare better.
    pub(crate) const fn is_about_target(&self) -> bool {
        match self {
            Self::Refused { status } => matches!(status, 502..=504),
            Self::Socks { reply } => matches!(reply.0, 3..=6 | 8),
            Self::Timeout => true,
            Self::Unreachable { .. } | Self::Unauthorized | Self::Protocol | Self::Broken { .. } => false,
        }
    }
}

/// The code with which a SOCKS5 server refuses (RFC 1928 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocksReply(pub u8);

impl fmt::Display for SocksReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            1 => "general failure",
            2 => "not allowed by its rules",
            3 => "network unreachable",
            4 => "host unreachable",
            5 => "connection refused",
            6 => "time to live expired",
            7 => "command not supported",
            8 => "address type not supported",
            code => return write!(f, "code {code}"),
        };
        f.write_str(text)
    }
}
