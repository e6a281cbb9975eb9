//! What a test of a stored setting came to.

use serde::Serialize;

/// Why a test failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TestError {
    /// The address belongs to an inner network, and the operator has not excepted it.
    BlockedUrl,
    /// The credentials were refused.
    AuthFailed,
    /// The other side answered, with a refusal or with nonsense.
    ProviderError,
    /// No answer within ten seconds.
    Timeout,
    DnsError,
    ConnectionRefused,
    ConnectionReset,
    TlsError,
    NetworkError,
}

/// The outcome of a test. A failure is an outcome too, so the status is 200 either way.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    pub ok: bool,
    /// Milliseconds that the test took.
    pub latency_ms: u64,
    /// Null when all is well.
    pub error: Option<TestError>,
    /// For people; null when all is well.
    pub message: Option<String>,
}
