//! One reason why a run cannot start.

/// A problem, with its place in the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// JSON Pointer into the request: `/input/order_id`, `/modelId`, or empty for the agent itself.
    pub pointer: String,
    /// Stable: `invalid_input`, `invalid_config`, `missing_dependency`, `provider_not_connected`, `model_not_configured`, ….
    pub code: &'static str,
    /// For the user, with what to do.
    pub message: String,
}

impl Obstacle {
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, message: message.into() }
    }
}
