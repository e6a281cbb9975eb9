//! What the document says about every operation.

use std::collections::BTreeSet;

use domain::Permission;
use serde_json::Value;

use super::operation::{Operation, operations, resolve};
use super::sweep::mismatches;

fn flaws(operation: &Operation) -> Vec<&'static str> {
    let value = operation.value;
    let says = |name: &str| value[name].as_str().is_some_and(|text| text.len() >= 10);
    let responses = value["responses"].as_object().unwrap();
    let described: Vec<_> = responses.keys().filter_map(|status| operation.response(status.parse().unwrap())).collect();
    let is_known = match operation.permission.as_str() {
        "public" | "signed-in" | "member" => true,
        name => Permission::parse(name).is_some(),
    };
    let requires = |status: &str| operation.permission == "public" || responses.contains_key(status);
    let rules = [
        (says("summary"), "summary"),
        (value["summary"].as_str().is_some_and(|text| text.ends_with('.')), "summary that ends with a period"),
        (says("description"), "description"),
        (value["operationId"].as_str().is_some_and(is_camel_case), "operationId in camelCase"),
        (value["tags"].as_array().is_some_and(|tags| tags.len() == 1), "one tag"),
        (is_known, "x-permission"),
        (matches!(operation.level.as_str(), "none" | "user" | "organization" | "application"), "x-level"),
        (api::Class::ALL.iter().any(|class| value["x-rate-limit"] == class.as_str()), "x-rate-limit"),
        (
            described
                .iter()
                .all(|response| ["RateLimit", "RateLimit-Policy", "Request-Id"].iter().all(|name| response["headers"].get(name).is_some())),
            "the headers that no response lacks",
        ),
        (names_header(operation, 429, "Retry-After"), "Retry-After with its 429"),
        (value["security"].is_array(), "security"),
        (
            described.iter().all(|response| response["description"].as_str().is_some_and(|text| !text.is_empty())),
            "description of every response",
        ),
        (requires("401") && requires("403"), "refusals"),
        (operation.parameters.is_empty() || responses.contains_key("404"), "404 for what its path names"),
        (value.get("requestBody").is_none() || responses.contains_key("422"), "422 for its body"),
        (!operation.successes().is_empty(), "a status of success"),
        (problems_are_problems(operation), "problem+json for every error"),
        (bodies_have_schemas(value), "schema for every body"),
        (bodies_have_examples(value), "example that fits its schema for every JSON body"),
        (parameters_are_described(operation), "description and schema of every parameter"),
        (says_whether_it_replays(operation), "Idempotency-Key on all but reads, or that it is not honored"),
        (
            !operation.successes().contains(&201) || names_header(operation, 201, "Location") || operation.level == "none",
            "Location with its 201",
        ),
    ];
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
}

fn says_whether_it_replays(operation: &Operation) -> bool {
    let takes_key = operation_parameters(operation).is_some_and(|parameters| parameters.iter().any(|one| one["name"] == "Idempotency-Key"));
    let declines = operation.value["description"].as_str().is_some_and(|text| text.contains("`Idempotency-Key` is not honored"));
    if operation.method == axum::http::Method::GET { !takes_key && !declines } else { takes_key != declines }
}

fn problems_are_problems(operation: &Operation) -> bool {
    let statuses = operation.value["responses"].as_object().unwrap().keys();
    statuses.filter(|status| !status.starts_with(['2', '3'])).all(|status| {
        operation.response(status.parse().unwrap()).is_some_and(|response| response["content"].get("application/problem+json").is_some())
    })
}

fn bodies_have_schemas(value: &Value) -> bool {
    let bodies = value["responses"].as_object().unwrap().values().chain(value.get("requestBody"));
    bodies
        .filter_map(|body| body["content"].as_object())
        .flat_map(|content| content.values())
        .all(|content| content.get("schema").is_some())
}

/// The first examples of requests and successes. Their schemas are whole: a made-up example would break them.
fn bodies_have_examples(value: &Value) -> bool {
    let successes = value["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2')).map(|(_, body)| body);
    successes.chain(value.get("requestBody")).filter_map(|body| body["content"].get("application/json")).all(|media| {
        media.get("example").is_some_and(|example| {
            let flaws = mismatches(&media["schema"], example);
            for flaw in &flaws {
                println!("{example}: {flaw}");
            }
            flaws.is_empty()
        })
    })
}

fn parameters_are_described(operation: &Operation) -> bool {
    let Some(parameters) = operation_parameters(operation) else { return operation.parameters.is_empty() };
    let named: BTreeSet<_> =
        parameters.iter().filter(|parameter| parameter["in"] == "path").filter_map(|parameter| parameter["name"].as_str()).collect();
    named == operation.parameters.iter().map(String::as_str).collect()
        && parameters
            .iter()
            .all(|parameter| parameter["description"].as_str().is_some_and(|text| !text.is_empty()) && parameter.get("schema").is_some())
}

fn operation_parameters(operation: &Operation) -> Option<Vec<&'static Value>> {
    Some(operation.value["parameters"].as_array()?.iter().map(resolve).collect())
}

fn names_header(operation: &Operation, status: u16, name: &str) -> bool {
    operation.response(status).is_some_and(|response| response["headers"].get(name).is_some())
}

fn is_camel_case(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.chars().all(|letter| letter.is_ascii_alphanumeric())
}

#[test]
fn every_operation_is_described_whole() {
    let failures: Vec<_> =
        operations().iter().map(|operation| (operation.to_string(), flaws(operation))).filter(|(_, flaws)| !flaws.is_empty()).collect();
    assert!(failures.is_empty(), "missing: {failures:#?}");
}

#[test]
fn operation_ids_are_unique() {
    let mut seen = BTreeSet::new();
    for operation in operations() {
        assert!(seen.insert(operation.id.clone()), "{} twice", operation.id);
    }
}

#[test]
fn only_what_the_product_opens_is_open() {
    let mut open: Vec<_> = operations()
        .iter()
        .filter(|operation| !operation.permission.contains(':'))
        .map(|operation| format!("{} {}", operation.permission, operation.id))
        .collect();
    open.sort();
    assert_eq!(
        open,
        [
            "member getOrganization",
            "member listApplications",
            "public acceptInvitation",
            "public forgotPassword",
            "public getInvitationOffer",
            "public resetPassword",
            "public sendVerificationEmail",
            "public signIn",
            "public signInSocial",
            "public signInSocialCallback",
            "public signUp",
            "public verifyEmail",
            "signed-in changePassword",
            "signed-in createOrganization",
            "signed-in getMe",
            "signed-in getProfile",
            "signed-in getSession",
            "signed-in listMyOrganizations",
            "signed-in listOrganizations",
            "signed-in listSessions",
            "signed-in revokeOtherSessions",
            "signed-in revokeSession",
            "signed-in setUpProfile",
            "signed-in signOut",
            "signed-in updateProfile",
        ]
    );
}
