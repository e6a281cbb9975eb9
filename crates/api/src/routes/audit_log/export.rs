//! All rows of a filter as lines of JSON, read a stretch at a time.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::stream;
use store::{AuditCursor, AuditFilter, InOrg, StoreError};

use super::objects;
use super::query::LINES;
use crate::app::App;

/// Rows in memory at once.
const STRETCH: u32 = 500;

/// Streams the rows that are there by now, oldest first. Each stretch is a read of its own: a slow client holds no snapshot open.
pub(super) fn export<S: InOrg>(app: App, scope: S, filter: AuditFilter) -> Response {
    let now = app.now() + chrono::TimeDelta::milliseconds(1);
    let filter = AuditFilter { to: Some(filter.to.map_or(now, |to| to.min(now))), ..filter };
    let export = Export { app, scope, filter, cursor: None, is_over: false };
    let lines = stream::try_unfold(export, |mut export| async move {
        let lines = export.next().await.inspect_err(|error| tracing::error!(%error, "an export of the audit log broke off"))?;
        Ok::<_, StoreError>(lines.map(|lines| (lines, export)))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(LINES));
    response
}

struct Export<S> {
    app: App,
    scope: S,
    filter: AuditFilter,
    cursor: Option<AuditCursor>,
    is_over: bool,
}

impl<S: InOrg> Export<S> {
    /// The lines of the next stretch; `None` behind the last.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        let rows = self.app.store.read(&self.scope).await?.audit_after(&self.filter, self.cursor, STRETCH).await?;
        self.is_over = rows.len() < STRETCH as usize;
        self.cursor = rows.last().map(AuditCursor::behind).or(self.cursor);
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, &objects::entry(row)).expect("an audit row is JSON");
            lines.push(b'\n');
        }
        Ok((!lines.is_empty()).then(|| lines.into()))
    }
}
