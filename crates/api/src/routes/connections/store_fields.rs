//! Storing the fields of a connection for whoever calls.

use connect::credentials::{self, Fields};
use connect::vault::Where;
use domain::{ConnectionId, PackageName, Reach};
use runs::preflight::key_owner;
use serde_json::json;
use store::{AppScope, Audit, ConnectionFilter, CredentialsChange, Holder, NewConnection, Page, Read};
use wire::api::connection::Connection;

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Whose connection a caller of this reach makes and uses.
pub(super) fn holder(scope: &AppScope) -> Holder {
    match scope.reach() {
        Reach::Application => Holder::Application,
        Reach::Member(user) => Holder::User(user),
        Reach::EndUser(end_user) => Holder::EndUser(end_user),
    }
}

/// The definition of a provider that the application has installed, or of the platform's own.
pub(super) async fn definition(read: &Read<AppScope>, name: &PackageName) -> Result<afps::manifest::Definition, Problem> {
    let package = read.packages().get(name).await?.ok_or_else(Problem::not_found)?;
    let id = package.latest_version.ok_or_else(Problem::not_found)?;
    let version = read.versions().get(id).await?.ok_or_else(Problem::not_found)?;
    let manifest = afps::Manifest::parse(version.manifest.as_bytes()).map_err(|error| Problem::internal(&error))?;
    manifest.provider().map(|provider| provider.definition.clone()).ok_or_else(Problem::not_found)
}

/// Seals the fields and stores them: a new connection of the caller, or new credentials of the one there is.
pub(super) async fn store_fields(
    can: &Can<perm::ConnectionsConnect>,
    app: &App,
    provider: PackageName,
    fields: Fields,
) -> Result<Answer, Problem> {
    let read = can.read().await?;
    let definition = definition(&read, &provider).await?;
    credentials::check(&definition, &fields)?;
    let holder = holder(&can.scope);
    let filter = ConnectionFilter { provider: Some(provider.clone()), profile: None, holder: Some(holder) };
    let known = read.connections().list(&filter, Page::FIRST).await?.items.into_iter().next();
    drop(read);

    let id = known.as_ref().map_or_else(|| ConnectionId::new(app.ids()), |connection| connection.id);
    let row = id.to_string();
    let place = Where { table: "connections", column: "sealed", row: &row };
    let sealed = app.vault.seal(&key_owner(&can.scope, holder), place, &credentials::to_bytes(&fields)).await?;

    let write = can.write().await?;
    let auth_mode = definition.auth_mode.as_str().to_owned();
    write.audit(Audit::about(&id, json!({ "provider": provider, "authMode": auth_mode, "isReplaced": known.is_some() })));
    if known.is_some() {
        let change = CredentialsChange { sealed, scopes: Vec::new(), expires_at: None };
        let connection = write.connections().replace_credentials(id, change).await?.ok_or_else(Problem::not_found)?;
        return Answer::done(write, 200, &convert::connection(connection)).await;
    }
    let profile = write.profiles().ensure_default(holder).await?;
    let new = NewConnection { id, profile: profile.id, provider, auth_mode, sealed, scopes: Vec::new(), expires_at: None };
    let connection = write.connections().create(new).await?.ok_or_else(Problem::not_found)?;
    let object: Connection = convert::connection(connection);
    Answer::created(write, &object, "/api/connections".to_owned()).await
}
