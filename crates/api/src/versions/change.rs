//! What a version may change, and how the change is undone for a client that does not know it.

use axum::http::HeaderMap;
use serde_json::Value;

/// An operation, by method and route template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    pub method: &'a str,
    /// `/api/runs/{id}`.
    pub route: &'a str,
}

/// A successful answer with a JSON body, or none (null).
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    pub status: u16,
    pub location: Option<String>,
    pub body: Value,
}

/// An event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEvent {
    /// The name behind `event:`.
    pub name: String,
    /// What stands behind `data:`, mostly JSON.
    pub data: String,
}

/// The changes of one version, undone. Each place that the version left alone keeps its default, which does nothing.
///
/// Hooks that need a parsed body say for which operation they do, so that all others pass untouched.
pub trait Change: Sync {
    /// Turns a JSON body as the version before sent it into this version's.
    fn redo_request(&self, _call: Call<'_>) -> Option<fn(&mut Value)> {
        None
    }

    /// Turns a successful answer of this version into the one before's.
    fn undo_answer(&self, _call: Call<'_>) -> Option<fn(&mut Spoken)> {
        None
    }

    /// The same for a problem document.
    fn undo_problem(&self) -> Option<fn(&mut Value)> {
        None
    }

    /// The same for an event of a stream.
    fn undo_event(&self, _call: Call<'_>) -> Option<fn(&mut StreamEvent)> {
        None
    }

    /// The same for the headers of any response.
    fn undo_headers(&self, _headers: &mut HeaderMap) {}

    /// The same for the OpenAPI document.
    fn undo_document(&self, _document: &mut Value) {}
}

/// The first version has nothing to undo.
pub(super) struct First;

impl Change for First {}
