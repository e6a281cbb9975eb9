use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::http::StatusCode;
use domain::Code;
use wire::api::package::Package;

use super::shared;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::body::{self, MAX_FORM_BYTES};
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// The form of an import.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the document generator; the form is parsed as it streams in")]
pub(super) struct ImportForm {
    /// An AFPS archive (ZIP), at most 10 MiB, 50 MiB unpacked.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Imports a package.
#[utoipa::path(
    post,
    path = "/api/packages/import",
    operation_id = "importPackage",
    tag = "Packages",
    description = "Publishes the package in an AFPS archive, of whatever kind. A ZIP with only a `SKILL.md` becomes a skill of the organization. \
                   Archives are checked before anything is kept: all problems are reported at once.",
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The package.", body = Package), (status = 409, description = "The name or the version is taken."))
)]
pub(super) async fn import_package(can: Can<perm::AgentsWrite>, State(app): State<App>, request: Request) -> Result<Answer, Problem> {
    let bytes = archive(request).await?;
    shared::import(&can, &app, bytes).await
}

/// The one file of the form.
async fn archive(request: Request) -> Result<Vec<u8>, Problem> {
    let limit = afps::archive::MAX_ARCHIVE_BYTES;
    let mut request = request.map(|body| axum::body::Body::new(http_body_util::Limited::new(body, MAX_FORM_BYTES)));
    // The framework's own limit of 2 MB would be the first.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| {
        Problem::new(Code::UnsupportedMediaType, "Send the archive as multipart/form-data in a part named `file`.").param("Content-Type")
    })?;
    let mut found = None;
    while let Some(part) = form.next_field().await.map_err(|error| broken(&error))? {
        if part.name() != Some("file") {
            continue;
        }
        if found.is_some() {
            return Err(Problem::new(Code::InvalidRequest, "The form holds more than one `file`.").param("file"));
        }
        let bytes = part.bytes().await.map_err(|error| broken(&error))?;
        if bytes.len() > limit {
            return Err(too_large());
        }
        found = Some(bytes.to_vec());
    }
    found.ok_or_else(|| Problem::new(Code::InvalidRequest, "The form has no part named `file`.").param("file"))
}

/// Why the form could not be read to its end.
fn broken(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        body::too_slow(error).unwrap_or_else(|| Problem::new(Code::InvalidRequest, "The form is broken or ends early."))
    }
}

fn too_large() -> Problem {
    Problem::new(Code::PayloadTooLarge, format!("An archive may have at most {} bytes.", afps::archive::MAX_ARCHIVE_BYTES))
}
