//! `provider_call`: a provider request without curl. Large answers and data that is no text go to a workspace file.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use wire::hands::{File, ToolOutcome};

use crate::hands::Sandbox;
use crate::hands::setup::PIECE;
use crate::limits;
use crate::proxy::Proxy;
use crate::proxy::context::{ProviderRequest, ProviderResponse};

/// What the model reads directly; more is in the file.
const HEAD: usize = limits::RESPONSE_DEFAULT;
/// Response headers that help a model to go on.
const SHOWN: [&str; 9] = [
    "content-type",
    "location",
    "link",
    "etag",
    "retry-after",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "content-disposition",
];

/// Where large answers go.
#[async_trait]
pub trait Workspace: Send + Sync {
    /// Writes or appends one piece of a file below the workspace. The error text is for the user.
    async fn put(&self, file: File, append: bool) -> Result<(), String>;
}

#[async_trait]
impl Workspace for Sandbox {
    async fn put(&self, file: File, append: bool) -> Result<(), String> {
        self.hands().await.map_err(|lost| lost.0)?.put_piece(file, append).await
    }
}

/// Carries out `{provider, method?, url, headers?, body?}`.
pub async fn call(proxy: &Proxy, workspace: &dyn Workspace, arguments: &Value) -> ToolOutcome {
    let request = match request(arguments) {
        Ok(request) => request,
        Err(problem) => return ToolOutcome::error(problem),
    };
    match proxy.call(request).await {
        Ok(response) => outcome(response, workspace).await,
        Err(refusal) => ToolOutcome { details: Some(refusal.body()), ..ToolOutcome::error(refusal.to_string()) },
    }
}

fn request(arguments: &Value) -> Result<ProviderRequest, String> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let provider = text("provider").ok_or("provider is required: the id of a connected provider")?;
    let target = text("url").ok_or("url is required")?;
    let method = text("method").unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| "method is no HTTP method".to_owned())?;
    let mut headers = headers(arguments.get("headers"))?;
    let body = match arguments.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(other) => {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            Bytes::from(other.to_string())
        }
    };
    Ok(ProviderRequest { provider, method, target, headers, body, substitute_body: false })
}

fn headers(given: Option<&Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let given = match given {
        None | Some(Value::Null) => return Ok(headers),
        Some(Value::Object(given)) => given,
        Some(_) => return Err("headers is an object of names and values".to_owned()),
    };
    for (name, value) in given {
        let bad = || {
            format!("the header \"{}\" cannot be sent", name.chars().filter(|letter| !letter.is_control()).take(100).collect::<String>())
        };
        let value = value.as_str().ok_or_else(bad)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        headers.append(name, HeaderValue::from_str(value).map_err(|_| bad())?);
    }
    Ok(headers)
}

async fn outcome(response: ProviderResponse, workspace: &dyn Workspace) -> ToolOutcome {
    let ProviderResponse { status, headers, is_text, mut body, .. } = response;
    let mut spill = Spill::new(extension(&headers));
    let mut head = BytesMut::new();
    let mut broken = None;
    while let Some(piece) = body.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        };
        if head.len() < HEAD {
            head.extend_from_slice(&piece[..piece.len().min(HEAD - head.len())]);
        }
        if let Err(problem) = spill.take(&piece, workspace).await {
            broken = Some(problem);
            break;
        }
    }
    let head = std::str::from_utf8(&head[..utf8_end(&head)]).ok().filter(|_| is_text || !head.contains(&0)).map(str::to_owned);
    let needs_file = spill.total > HEAD as u64 || head.is_none();
    let mut file = None;
    if needs_file && broken.is_none() {
        match spill.finish(workspace).await {
            Ok(path) => file = Some(path),
            Err(problem) => broken = Some(problem),
        }
    }
    report(status, &headers, Read { head: head.filter(|_| spill.total > 0), file, broken, total: spill.total })
}

/// What came of reading a body.
struct Read {
    head: Option<String>,
    file: Option<String>,
    broken: Option<String>,
    total: u64,
}

fn report(status: StatusCode, headers: &HeaderMap, read: Read) -> ToolOutcome {
    let Read { head, file, broken, total } = read;
    let shown: serde_json::Map<String, Value> =
        SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(headers.get(*name)?.to_str().ok()?)))).collect();
    let mut text = format!("HTTP {}", status.as_u16());
    for (name, value) in &shown {
        text.extend(["\n", name, ": ", value.as_str().unwrap_or_default()]);
    }
    if let Some(head) = &head {
        text.push_str("\n\n");
        text.push_str(head);
    }
    if let Some(path) = &file {
        let what = if head.is_some() { "the whole body" } else { "the body, which is not text," };
        text.extend(["\n\n[", what, " is in /workspace/", path, ", ", &total.to_string(), " bytes]"]);
    }
    if let Some(problem) = &broken {
        text.extend(["\n\n[the body is not complete: ", problem, "]"]);
    }
    let details = json!({ "status": status.as_u16(), "headers": shown, "bytes": total, "file": file, "complete": broken.is_none() });
    ToolOutcome { details: Some(details), is_error: broken.is_some(), ..ToolOutcome::text(text) }
}

/// The end of the last whole character, for bytes that were cut anywhere.
fn utf8_end(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// Bytes on their way to a file; small answers never get that far.
struct Spill {
    extension: &'static str,
    total: u64,
    buffer: BytesMut,
    path: Option<String>,
}

impl Spill {
    fn new(extension: &'static str) -> Self {
        Self { extension, total: 0, buffer: BytesMut::new(), path: None }
    }

    async fn take(&mut self, mut piece: &[u8], workspace: &dyn Workspace) -> Result<(), String> {
        self.total += piece.len() as u64;
        if self.total > limits::SPILL {
            return Err(format!("it is larger than {} MiB", limits::SPILL / 1024 / 1024));
        }
        while !piece.is_empty() {
            let (now, rest) = piece.split_at(piece.len().min(PIECE - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            piece = rest;
            if self.buffer.len() == PIECE {
                self.flush(workspace).await?;
            }
        }
        Ok(())
    }

    async fn finish(&mut self, workspace: &dyn Workspace) -> Result<String, String> {
        self.flush(workspace).await?;
        Ok(self.path.clone().expect("a flush names the file"))
    }

    async fn flush(&mut self, workspace: &dyn Workspace) -> Result<(), String> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let append = self.path.is_some();
        let name = || format!("provider_responses/{}.{}", COUNT.fetch_add(1, Ordering::Relaxed), self.extension);
        let path = self.path.get_or_insert_with(name).clone();
        let content = std::mem::take(&mut self.buffer).to_vec();
        workspace.put(File { path, content, mode: 0o644 }, append).await
    }
}

fn extension(headers: &HeaderMap) -> &'static str {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => "json",
        "text/html" => "html",
        "text/csv" => "csv",
        "application/xml" | "text/xml" => "xml",
        "application/pdf" => "pdf",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "application/zip" => "zip",
        text if text.starts_with("text/") => "txt",
        json if json.ends_with("+json") => "json",
        _ => "bin",
    }
}
