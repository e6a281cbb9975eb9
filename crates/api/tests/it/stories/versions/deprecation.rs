//! A version that will end says so on every answer.

use api::versions::{Deprecation, Version};
use axum::http::Method;
use sfv::{BareItem, FieldType as _, Item, Parser};

use crate::walk::{Kind, Stage, Target};
use crate::world::{Reply, World};

/// A world in which this version will end.
async fn ending(version: &str) -> World {
    let deprecation = Deprecation { since: "2026-11-21".parse().unwrap(), sunset: "2027-06-01".parse().unwrap() };
    assert!(deprecation.is_fair());
    World::with(|options| options.deprecations.push((Version::released(version).unwrap(), deprecation))).await
}

/// The targets of a `Link` header by their relation (RFC 8288).
fn links(reply: &Reply) -> Vec<(String, String)> {
    let links = reply.header("link").unwrap_or_default();
    assert_eq!(reply.headers.get_all("link").iter().count(), usize::from(!links.is_empty()), "one header: {reply}");
    let mut found = Vec::new();
    for link in links.split(", <").map(|link| link.trim_start_matches('<')).filter(|link| !link.is_empty()) {
        let (target, parameters) = link.split_once('>').unwrap();
        let relation = parameters.split("rel=\"").nth(1).unwrap().split('"').next().unwrap();
        found.push((relation.to_owned(), target.to_owned()));
    }
    found
}

fn check(reply: &Reply, version: &str) {
    let value = reply.header("deprecation").unwrap_or_else(|| panic!("no Deprecation: {reply}"));
    let item: Item = Parser::new(value).parse().unwrap();
    let BareItem::Date(date) = item.bare_item else { panic!("{value} is no date") };
    assert_eq!(date.unix_seconds().to_string(), "1795219200");
    assert_eq!(item.serialize(), value, "canonical");
    assert_eq!(reply.header("sunset"), Some("Tue, 01 Jun 2027 00:00:00 GMT"));
    let links = links(reply);
    for relation in ["deprecation", "sunset"] {
        assert!(links.contains(&(relation.to_owned(), format!("/docs/versions#{version}"))), "{reply}: {links:?}");
    }
}

#[tokio::test]
async fn every_answer_of_a_deprecated_version_says_when_it_ends() {
    for (version, other) in [("2026-03-21", "2026-11-21"), ("2026-11-21", "2026-03-21")] {
        let world = ending(version).await;
        let stage = Stage::set(&world).await;
        let (ada, anonymous) = (stage.own.with("appstrate-version", version), world.anonymous().with("appstrate-version", version));
        let run = Kind::Run.make(&stage, Target::Own).await.id;
        let disposable = stage.own.end_user("Disposable").await;
        let grace = stage.key.as_user(stage.grace).with("appstrate-version", version);
        grace.send(Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
        for reply in [
            ada.get("/api/runs").await.is(200),
            ada.post("/api/end-users", &serde_json::json!({})).await.is(201),
            ada.delete(&format!("/api/end-users/{disposable}")).await.is(204),
            grace.get(&format!("/api/realtime/runs/{run}")).await.is(200),
            ada.get("/api/runs?page=0").await.is(422),
            ada.get("/api/runs/nonsense").await.is(404),
            anonymous.get("/api/runs").await.is(401),
            anonymous.get("/api/nothing").await.is(404),
            anonymous.send(Method::PUT, "/api/orgs", None).await.is(405),
            anonymous.get("/api/openapi.json").await.is(200),
        ] {
            check(&reply, version);
        }
        for reply in [
            stage.own.with("appstrate-version", other).get("/api/runs").await.is(200),
            world.anonymous().with("appstrate-version", other).get("/api/runs").await.is(401),
        ] {
            assert!(["deprecation", "sunset", "link"].iter().all(|name| reply.header(name).is_none()), "{reply}");
        }
    }
}

#[tokio::test]
async fn who_names_no_version_is_told_of_the_one_that_answers() {
    let world = ending("2026-03-21").await;
    check(&world.tenant("ada").await.get("/api/runs").await.is(200), "2026-03-21");
    check(&world.anonymous().get("/api/runs").await.is(401), "2026-03-21");
}

#[tokio::test]
async fn the_links_of_a_list_stay_beside_those_of_the_deprecation() {
    let world = ending("2026-03-21").await;
    let ada = world.tenant("ada").await;
    for name in ["One", "Two", "Three"] {
        ada.end_user(name).await;
    }
    let page = ada.get("/api/end-users?page=2&pageSize=1").await.is(200);
    check(&page, "2026-03-21");
    let relations: Vec<_> = links(&page).into_iter().map(|(relation, _)| relation).collect();
    assert_eq!(relations, ["next", "prev", "deprecation", "sunset"]);
    let (_, next) = links(&page).remove(0);
    ada.get(&next).await.is(200);
}

#[tokio::test]
async fn the_page_that_the_links_lead_to_tells_the_days() {
    let world = ending("2026-03-21").await;
    let page = world.anonymous().get("/docs/versions").await.is(200);
    assert!(page.text.contains("id=\"2026-03-21\"") && page.text.contains("id=\"2026-11-21\""), "{page}");
    assert!(page.text.contains("Deprecated since 2026-11-21; it may be withdrawn from 2027-06-01 on."), "{page}");
    assert!(page.text.contains("<code>POST /api/runs</code>"), "{page}");
}

#[tokio::test]
async fn no_released_version_is_deprecated_today() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for version in ["2026-03-21", "2026-11-21"] {
        let reply = ada.with("appstrate-version", version).get("/api/end-users").await.is(200);
        assert!(["deprecation", "sunset", "link"].iter().all(|name| reply.header(name).is_none()), "{reply}");
    }
}
