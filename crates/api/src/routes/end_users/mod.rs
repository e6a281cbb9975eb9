//! End-users: the customers of an application.

mod create;
mod delete;
mod get;
mod list;
mod update;

use std::collections::BTreeMap;

use domain::Code;
use serde_json::Value;
use store::{StoreError, constraint};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::problem::{Problem, Violation};
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_end_user))
        .routes(route!(list::list_end_users))
        .routes(route!(get::get_end_user))
        .routes(route!(update::update_end_user))
        .routes(route!(delete::delete_end_user))
}

const MAX_METADATA_KEYS: usize = 50;
const MAX_METADATA_KEY: usize = 40;
const MAX_METADATA_TEXT: usize = 500;

/// At most 50 keys of 1 to 40 characters; values are texts up to 500 characters, numbers, booleans or null.
fn check_metadata(violations: &mut Vec<Violation>, metadata: &BTreeMap<String, Value>) {
    if metadata.len() > MAX_METADATA_KEYS {
        violations.push(Violation::new("/metadata", "out_of_range", format!("must have at most {MAX_METADATA_KEYS} keys")));
        return;
    }
    for (key, value) in metadata {
        let pointer = format!("/metadata/{}", key.replace('~', "~0").replace('/', "~1"));
        if key.is_empty() || key.chars().count() > MAX_METADATA_KEY || key.contains('\0') {
            violations.push(Violation::new(pointer.clone(), "invalid_key", format!("a key has 1 to {MAX_METADATA_KEY} characters")));
        }
        let allowed = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
            Value::String(text) => text.chars().count() <= MAX_METADATA_TEXT && !text.contains('\0'),
            Value::Array(_) | Value::Object(_) => false,
        };
        if !allowed {
            let message = format!("must be a text of at most {MAX_METADATA_TEXT} characters, a number, a boolean or null");
            violations.push(Violation::new(pointer, "invalid_value", message));
        }
    }
}

/// A collision on one of the two unique fields, with its name.
fn of_store(error: StoreError) -> Problem {
    if error.is_conflict(constraint::END_USER_EXTERNAL_ID) {
        Problem::new(Code::ExternalIdTaken, "Another end-user of this application has this external id.").param("externalId")
    } else if error.is_conflict(constraint::END_USER_EMAIL) {
        Problem::new(Code::EmailTaken, "Another end-user of this application has this e-mail.").param("email")
    } else {
        error.into()
    }
}
