//! Header, else pin, else default.

use axum::http::Method;
use domain::Code;
use serde_json::json;

use crate::walk::{Kind, Stage, Target};
use crate::world::{Reply, World};

const OLD: &str = "2026-03-21";
const NEW: &str = "2026-11-21";

#[track_caller]
fn speaks(reply: &Reply, version: &str) {
    assert_eq!(reply.header("appstrate-version"), Some(version), "{reply}");
}

#[tokio::test]
async fn the_pin_of_the_organization_speaks_for_sessions_keys_and_end_users() {
    for world in World::each().await {
        let ada = world.pinned_tenant("ada", Some(NEW)).await;
        let grace = ada.end_user("Grace").await;
        let key = ada.full_key().await;
        for caller in [(*ada).clone(), ada.member(domain::Role::Viewer).await, key.clone(), key.as_user(grace)] {
            speaks(&caller.get("/api/runs").await.is(200), NEW);
            speaks(&caller.with("appstrate-version", OLD).get("/api/runs").await.is(200), OLD);
            // Refusals too, whether the caller got far or not.
            speaks(&caller.get("/api/runs/nonsense").await.is(404), NEW);
            speaks(&caller.get("/api/runs?page=0").await.is(422), NEW);
            speaks(&caller.with("appstrate-version", OLD).get("/api/runs?page=0").await.is(422), OLD);
        }
        // Without the organization nobody knows its pin.
        speaks(&ada.without("x-org-id").without("x-app-id").get("/api/orgs").await.is(200), OLD);
        assert_eq!(ada.get(&format!("/api/orgs/{}", ada.org)).await.at("/apiVersion"), NEW);
    }
}

#[tokio::test]
async fn who_is_refused_on_the_way_hears_the_organization_s_version() {
    for world in World::each().await {
        let ada = world.pinned_tenant("ada", Some(NEW)).await;
        let eve = world.pinned_tenant("eve", Some(NEW)).await;
        let key = ada.full_key().await;
        let refused = [
            (key.with("x-app-id", eve.app.to_string()), Code::Forbidden),
            (key.with("x-org-id", eve.org.to_string()), Code::Forbidden),
            (key.with("x-app-id", "a").with("x-app-id", "b"), Code::InvalidRequest),
            (key.with("appstrate-user", "eu_nobody"), Code::InvalidEndUser),
            (ada.instead("x-app-id", eve.app.to_string()), Code::NotFound),
            (ada.with("x-app-id", ada.app.to_string()), Code::InvalidRequest),
        ];
        for (caller, code) in refused {
            speaks(&caller.get("/api/runs").await.refused(code), NEW);
            speaks(&caller.with("appstrate-version", OLD).get("/api/runs").await.refused(code), OLD);
        }
        speaks(&key.with("appstrate-version", "latest").get("/api/runs").await.refused(Code::InvalidApiVersion), NEW);
        // Of an organization that is not the caller's nothing is told, its version included.
        speaks(&ada.instead("x-org-id", eve.org.to_string()).get("/api/runs").await.refused(Code::Forbidden), OLD);
    }
}

#[tokio::test]
async fn without_a_usable_pin_the_default_speaks() {
    let world = World::start().await;
    for (name, pin) in [("none", None), ("withdrawn", Some("1999-01-01")), ("nonsense", Some("latest")), ("default", Some(OLD))] {
        let tenant = world.pinned_tenant(name, pin).await;
        speaks(&tenant.get("/api/runs").await.is(200), OLD);
        speaks(&tenant.full_key().await.get("/api/runs").await.is(200), OLD);
        speaks(&tenant.with("appstrate-version", NEW).get("/api/runs").await.is(200), NEW);
    }
}

#[tokio::test]
async fn before_the_caller_is_known_the_header_speaks() {
    let world = World::start().await;
    let newer = world.anonymous().with("appstrate-version", NEW);
    speaks(&newer.get("/api/runs").await.refused(Code::Unauthorized), NEW);
    speaks(&newer.with_key("ask_wrong").get("/api/runs").await.refused(Code::Unauthorized), NEW);
    speaks(&newer.get("/api/nothing").await.refused(Code::NotFound), NEW);
    speaks(&newer.send(Method::PUT, "/api/orgs", None).await.refused(Code::MethodNotAllowed), NEW);
    speaks(&newer.get("/health").await.is(200), NEW);
    for bad in ["latest", "1999-01-01"] {
        let reply = world.anonymous().with("appstrate-version", bad).get("/api/orgs").await.is(400);
        speaks(&reply, OLD);
    }
}

#[tokio::test]
async fn a_new_organization_is_pinned_to_the_default() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let outside = ada.without("x-org-id").without("x-app-id");
    let made = outside.with("appstrate-version", NEW).post("/api/orgs", &json!({"name": "Acme"})).await.is(201);
    assert_eq!(made.at("/apiVersion"), OLD);
    let caller = outside.with("x-org-id", made.text_at("/id"));
    speaks(&caller.get("/api/applications").await.is(200), OLD);
}

#[tokio::test]
async fn a_stream_speaks_a_version_like_every_answer() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let run = Kind::Run.make(&stage, Target::Own).await.id;
        let grace = stage.key.as_user(stage.grace);
        grace.send(Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
        let path = format!("/api/realtime/runs/{run}");
        speaks(&grace.get(&path).await.is(200), OLD);
        let newer = grace.with("appstrate-version", NEW).get(&path).await.is(200);
        speaks(&newer, NEW);
        assert!(newer.text.contains("event: run_update"), "{newer}");

        let pinned = world.pinned_tenant("pinned", Some(NEW)).await;
        let own = pinned.end_user("Own").await;
        let caller = pinned.full_key().await.as_user(own);
        let foreign = caller.get(&path).await.refused(Code::NotFound);
        speaks(&foreign, NEW);
    }
}
