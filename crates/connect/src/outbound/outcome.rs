//! What a test came to.

use std::io::{self, ErrorKind};
use std::time::Duration;

use net::Error;
use net::proxy::ProxyFailure;
use wire::api::probe::TestError;

use crate::proxies::ProxyAddressError;

/// A finished test.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    pub latency: Duration,
    /// `None`: all is well.
    pub failure: Option<TestFailure>,
}

/// Why a test failed; the message names no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFailure {
    pub error: TestError,
    pub message: String,
}

impl TestFailure {
    pub(super) fn new(error: TestError, message: impl Into<String>) -> Self {
        Self { error, message: message.into() }
    }

    pub(super) fn late(limit: Duration) -> Self {
        Self::new(TestError::Timeout, format!("no answer within {} seconds", limit.as_secs()))
    }

    pub(super) fn of_net(error: &Error) -> Self {
        let message = match error {
            Error::Proxy(ProxyFailure::Unreachable { source }) => format!("{error}: {source}"),
            _ => error.to_string(),
        };
        Self::new(kind(error), message)
    }

    /// A stored address that would not be accepted any more: the operator has taken an exception back.
    pub(super) fn of_address(error: &ProxyAddressError) -> Self {
        let kind = match error {
            ProxyAddressError::Refused(_) => TestError::BlockedUrl,
            ProxyAddressError::Invalid(_) | ProxyAddressError::TooLong => TestError::NetworkError,
        };
        Self::new(kind, error.to_string())
    }
}

fn kind(error: &Error) -> TestError {
    match error {
        Error::Refused(_) => TestError::BlockedUrl,
        Error::Resolve { .. } => TestError::DnsError,
        Error::Connect { source, .. } => of_io(source),
        Error::Tls { .. } => TestError::TlsError,
        Error::ConnectTimeout { .. } | Error::ResponseTimeout | Error::IdleTimeout => TestError::Timeout,
        Error::Proxy(failure) => match failure {
            ProxyFailure::Unreachable { source } => kind(source),
            ProxyFailure::Unauthorized => TestError::AuthFailed,
            ProxyFailure::Refused { .. } | ProxyFailure::Socks { .. } | ProxyFailure::Protocol => TestError::ProviderError,
            ProxyFailure::Broken { source } => of_io(source),
            ProxyFailure::Timeout => TestError::Timeout,
        },
        _ => TestError::NetworkError,
    }
}

fn of_io(error: &io::Error) -> TestError {
    match error.kind() {
        ErrorKind::ConnectionRefused => TestError::ConnectionRefused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => {
            TestError::ConnectionReset
        }
        ErrorKind::TimedOut => TestError::Timeout,
        _ => TestError::NetworkError,
    }
}
