use domain::{Code, Role};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_organization_changes_its_name_and_slug() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let path = format!("/api/orgs/{}", ada.org);
    let changed = ada.patch(&path, &json!({"name": "Analytical", "slug": "analytical"})).await.is(200);
    assert_eq!((changed.text_at("/name"), changed.text_at("/slug")), ("Analytical".to_owned(), "analytical".to_owned()));
    // Its own slug is no collision, another's is.
    ada.patch(&path, &json!({"slug": "analytical"})).await.is(200);
    assert_eq!(ada.patch(&path, &json!({"slug": "bob"})).await.refused(Code::SlugTaken).at("/param"), "slug");
    assert_eq!(bob.get(&format!("/api/orgs/{}", bob.org)).await.is(200).text_at("/slug"), "bob");
    for (body, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"slug": "Not A Slug"}), "/slug"),
        (json!({"slug": "appstrate"}), "/slug"),
        (json!({"owner": "me"}), "/owner"),
    ] {
        ada.patch(&path, &body).await.invalid_at(pointer);
    }
    ada.member(Role::Member).await.patch(&path, &json!({"name": "Mine"})).await.refused(Code::Forbidden);
    ada.patch(&format!("/api/orgs/{}", bob.org), &json!({"name": "Mine"})).await.refused(Code::NotFound);
    ada.full_key().await.patch(&path, &json!({"name": "Mine"})).await.refused(Code::Forbidden);
}

#[tokio::test]
async fn the_pin_counts_from_the_next_request_on() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let (key, path) = (ada.full_key().await, format!("/api/orgs/{}/settings", ada.org));
    assert_eq!(ada.get(&path).await.is(200).at("/apiVersion"), "2026-03-21");
    assert_eq!(ada.patch(&path, &json!({"apiVersion": "2026-11-21"})).await.is(200).at("/apiVersion"), "2026-11-21");
    assert_eq!(key.get("/api/runs").await.is(200).header("appstrate-version"), Some("2026-11-21"));
    assert_eq!(ada.patch(&path, &json!({"apiVersion": null})).await.is(200).at("/apiVersion"), json!(null));
    assert_eq!(key.get("/api/runs").await.is(200).header("appstrate-version"), Some("2026-03-21"));
    for body in [json!({"apiVersion": "1999-01-01"}), json!({"apiVersion": "latest"}), json!({"apiVersion": 7})] {
        ada.patch(&path, &body).await.invalid_at("/apiVersion");
    }
    ada.patch(&path, &json!({"theme": "dark"})).await.invalid_at("/theme");
}

#[tokio::test]
async fn settings_that_are_not_given_change_nothing() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (organization, settings) = (format!("/api/orgs/{}", ada.org), format!("/api/orgs/{}/settings", ada.org));
        let before = ada.get(&organization).await.is(200).text_at("/updatedAt");
        world.clock.advance(std::time::Duration::from_mins(1));
        assert_eq!(ada.patch(&settings, &json!({})).await.is(200).at("/apiVersion"), "2026-03-21");
        assert_eq!(ada.get(&organization).await.is(200).text_at("/updatedAt"), before);
        ada.patch(&settings, &json!({"apiVersion": "2026-03-21"})).await.is(200);
        assert_ne!(ada.get(&organization).await.is(200).text_at("/updatedAt"), before);
    }
}
