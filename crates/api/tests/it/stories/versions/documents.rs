//! The OpenAPI document of each version.

use api::versions::{RELEASES, Version};
use domain::Code;
use serde_json::{Value, json};

use crate::walk::Stage;
use crate::world::World;

#[tokio::test]
async fn the_document_is_that_of_the_version_in_query_or_header() {
    let world = World::start().await;
    let anonymous = world.anonymous();
    let served = |reply: &crate::world::Reply| (reply.text_at("/info/version"), reply.header("appstrate-version").unwrap().to_owned());
    for release in RELEASES {
        let date = release.version.as_str();
        let by_query = anonymous.get(&format!("/api/openapi.json?version={date}")).await.is(200);
        let by_header = anonymous.with("appstrate-version", date).get("/api/openapi.json").await.is(200);
        assert_eq!(served(&by_query), (date.to_owned(), date.to_owned()));
        assert_eq!(by_query.text, by_header.text);
        assert_eq!(by_query.text, api::openapi::document(release.version));
        assert_eq!(by_header.header("vary"), Some("Appstrate-Version"));
    }
    let default = anonymous.get("/api/openapi.json").await.is(200);
    assert_eq!(default.text_at("/info/version"), "2026-03-21");
    // The query is the more explicit one.
    let reply = world.anonymous().get("/api/openapi.json?version=2026-11-21").await.is(200);
    assert_eq!(reply.text_at("/info/version"), "2026-11-21");
}

#[tokio::test]
async fn a_document_of_no_version_is_refused() {
    let world = World::start().await;
    let anonymous = world.anonymous();
    let refused = anonymous.get("/api/openapi.json?version=1999-01-01").await.refused(Code::UnsupportedApiVersion);
    assert_eq!(refused.at("/param"), "version");
    anonymous.get("/api/openapi.json?version=newest").await.refused(Code::InvalidApiVersion);
    anonymous.get("/api/openapi.json?version=2026-03-21&version=2026-11-21").await.invalid_at("/version");
    anonymous.with("appstrate-version", "1999-01-01").get("/api/openapi.json").await.refused(Code::UnsupportedApiVersion);
    anonymous.with("appstrate-version", "newest").get("/api/openapi.json").await.refused(Code::InvalidApiVersion);
}

#[tokio::test]
async fn the_newest_document_describes_what_the_newest_version_answers() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let document: Value = serde_json::from_str(api::openapi::document(Version::newest())).unwrap();
    let started = stage.key.with("appstrate-version", "2026-11-21").post("/api/runs", &json!({"agentId": "@own/helper"})).await.is(201);
    let described = &document["paths"]["/api/runs"]["post"]["responses"]["201"];
    for name in described["headers"].as_object().unwrap().keys() {
        assert!(started.header(&name.to_lowercase()).is_some(), "{name}: {started}");
    }
    let schema = &described["content"]["application/json"]["schema"];
    let whole = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema], "components": document["components"]});
    let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
    let broken: Vec<_> = validator.iter_errors(&started.json()).map(|error| error.to_string()).collect();
    assert!(broken.is_empty(), "{broken:?}");
}
