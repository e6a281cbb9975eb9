use axum::extract::State;
use connect::outbound::{ModelTest, VendorKey};
use connect::vault::Where;
use domain::{ModelId, Secret};
use store::DataKeyOwner;
use wire::api::probe::TestResult;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;
use crate::routes::tested::tested;

/// Tests a model.
#[utoipa::path(
    post,
    path = "/api/models/{id}/test",
    operation_id = "testModel",
    tag = "Models",
    description = "Asks the model for one word with its stored key, hangs up when the answer begins, and says what came of it, within ten seconds. A vendor may \
                   charge a few tokens. A failed test is an answer, not an error.",
    params(("id" = ModelId, Path, description = "The model.")),
    responses((status = 200, description = "The outcome.", body = TestResult))
)]
pub(super) async fn test_model(
    can: Can<perm::ModelsWrite>,
    State(app): State<App>,
    IdPath(id): IdPath<ModelId>,
) -> Result<Answer, Problem> {
    let read = can.read_org().await?;
    let model = read.models().get(id).await?.ok_or_else(Problem::not_found)?;
    let stored = match model.provider_key {
        Some(id) => {
            let key = read.provider_keys().get(id).await?.ok_or_else(Problem::not_found)?;
            Some((key, read.provider_keys().sealed(id).await?.ok_or_else(Problem::not_found)?))
        }
        None => None,
    };
    drop(read);
    let key = match stored {
        Some((key, sealed)) => {
            let row = key.id.to_string();
            let place = Where { table: "provider_keys", column: "sealed", row: &row };
            let opened = app.vault.unseal(&DataKeyOwner::organization(&can.scope), place, &sealed).await?;
            let secret = Secret::from(std::str::from_utf8(opened.expose()).map_err(|error| Problem::internal(&error))?);
            Some(VendorKey { secret, base_url: key.base_url })
        }
        None => None,
    };
    let base_url = model.base_url.parse().map_err(|error: url::ParseError| Problem::internal(&error))?;
    let test = ModelTest { protocol: model.protocol, base_url, model: model.model, key };
    tested(&can, app.outbound.test_model(&test)).await
}
