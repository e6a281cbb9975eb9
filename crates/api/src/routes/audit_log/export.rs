//! All rows of a filter as lines of JSON, read a stretch at a time.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::Permission;
use futures::stream;
use store::{AuditCursor, AuditFilter, InOrg, StoreError};
use tokio::time::Instant;

use super::objects;
use super::query::LINES;
use crate::app::App;
use crate::chain::authenticate::Standing;

/// Rows in memory at once.
const STRETCH: u32 = 500;

/// What breaks an export off. The transport tells the client that something is missing.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the rows could not be read")]
    Store(#[from] StoreError),
    #[error("whoever asked for them may no longer read them")]
    Revoked,
}

/// Streams the rows that are there by now, oldest first. Each stretch is a read of its own: a slow client holds no snapshot open. A
/// long export asks now and then whether its caller may still read.
pub(super) fn export<S: InOrg>(app: App, standing: Standing, scope: S, filter: AuditFilter) -> Response {
    let now = app.now() + chrono::TimeDelta::milliseconds(1);
    let filter = AuditFilter { to: Some(filter.to.map_or(now, |to| to.min(now))), ..filter };
    let check_at = Instant::now() + app.options.streams.reauthorize_every;
    let export = Export { app, standing, check_at, scope, filter, cursor: None, is_over: false };
    let lines = stream::try_unfold(export, |mut export| async move {
        let lines = export.next().await.inspect_err(|error| match error {
            Broken::Store(error) => tracing::error!(%error, "an export of the audit log broke off"),
            Broken::Revoked => tracing::info!("an export of the audit log ended, because its caller may no longer read it"),
        })?;
        Ok::<_, Broken>(lines.map(|lines| (lines, export)))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(LINES));
    response
}

struct Export<S> {
    app: App,
    standing: Standing,
    check_at: Instant,
    scope: S,
    filter: AuditFilter,
    cursor: Option<AuditCursor>,
    is_over: bool,
}

impl<S: InOrg> Export<S> {
    /// The lines of the next stretch; `None` behind the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        if self.is_over {
            return Ok(None);
        }
        self.reauthorize().await?;
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

    async fn reauthorize(&mut self) -> Result<(), Broken> {
        if self.check_at > Instant::now() {
            return Ok(());
        }
        if !self.standing.holds(&self.app, Permission::AuditLogRead).await {
            return Err(Broken::Revoked);
        }
        self.check_at = Instant::now() + self.app.options.streams.reauthorize_every;
        Ok(())
    }
}
