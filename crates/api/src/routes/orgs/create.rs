use domain::{Code, Role, package_name};
use serde_json::{Map, json};
use store::{Audit, NewOrganization, constraint};
use wire::api::organization::{CreateOrganization, Organization};

use crate::answer::Answer;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::{convert, rules, versions};

const MAX_SLUG: usize = 50;

pub(super) const SLUG_RULE: &str = "must be lower-case letters, digits and inner dashes, at most 50, and not a reserved word";

impl rules::Checked for CreateOrganization {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/name", &self.name, 1..=100);
        match &self.slug {
            Some(slug) if !is_free_slug(slug) => violations.push(Violation::new("/slug", "invalid_format", SLUG_RULE)),
            None if violations.is_empty() && slug_of(&self.name).is_none() => {
                violations.push(Violation::new("/slug", "required", "cannot be made from this name; give one"));
            }
            _ => {}
        }
        violations
    }
}

/// Scopes that belong to the platform.
const RESERVED: [&str; 3] = ["appstrate", "inline", "system"];

pub(super) fn is_free_slug(slug: &str) -> bool {
    package_name::is_slug(slug) && slug.len() <= MAX_SLUG && !RESERVED.contains(&slug)
}

/// `Acme Robotics!` as `acme-robotics`. `None` when nothing usable is left.
fn slug_of(name: &str) -> Option<String> {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(MAX_SLUG);
    let slug = slug.trim_matches('-').to_owned();
    is_free_slug(&slug).then_some(slug)
}

/// Creates an organization.
#[utoipa::path(
    post,
    path = "/api/orgs",
    operation_id = "createOrganization",
    tag = "Organizations",
    description = "Creates an organization that the caller owns, with its default application. It is pinned to the default API version, whatever this request speaks; its settings change the pin.",
    request_body = CreateOrganization,
    responses((status = 201, description = "The organization.", body = Organization))
)]
pub(super) async fn create_organization(can: Can<perm::SignedIn>, Json(body): Json<CreateOrganization>) -> Result<Answer, Problem> {
    let slug = body.slug.or_else(|| slug_of(&body.name)).expect("checked with the body");
    let mut settings = Map::new();
    settings.insert("apiVersion".to_owned(), json!(versions::DEFAULT.as_str()));
    let new = NewOrganization { name: body.name, slug, settings, owner: can.login.user.id, application: "Default".to_owned() };
    let write = can.write_as_platform().await?;
    write.audit(Audit::detail(json!({ "name": new.name, "slug": new.slug })));
    let created = write.create_organization(new).await;
    let (organization, _) = created.map_err(|error| {
        if error.is_conflict(constraint::ORGANIZATION_SLUG) {
            Problem::new(Code::SlugTaken, "Another organization has this slug.").param("slug")
        } else {
            error.into()
        }
    })?;
    let location = format!("/api/orgs/{}", organization.id);
    Answer::created(write, &convert::organization(organization, Role::Owner), location).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_come_from_names() {
        assert_eq!(slug_of("Acme Robotics!").as_deref(), Some("acme-robotics"));
        assert_eq!(slug_of("  --A  "), Some("a".to_owned()));
        assert_eq!(slug_of("日本"), None);
        assert_eq!(slug_of("Appstrate"), None);
    }
}
