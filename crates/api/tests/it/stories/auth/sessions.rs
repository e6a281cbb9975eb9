use std::time::Duration;

use domain::{Code, Role};
use serde_json::json;

use super::token;
use crate::world::{Actor, World};

const DAY: Duration = Duration::from_hours(24);
const ALMOST_A_DAY: Duration = Duration::from_secs(24 * 3_600 - 1);
const ALMOST_A_WEEK: Duration = Duration::from_secs(7 * 24 * 3_600 - 1);

async fn signed_in<'w>(world: &'w World, agent: &str) -> (String, Actor<'w>) {
    let body = json!({"email": "ada@example.com", "password": "correct horse"});
    let browser = world.anonymous().with("user-agent", agent).with("x-forwarded-for", "192.0.2.7");
    let reply = browser.post("/api/auth/sign-in/email", &body).await.is(200);
    (reply.text_at("/id"), world.anonymous().with_cookie(&token(&reply)))
}

#[tokio::test]
async fn a_user_sees_where_it_is_signed_in_and_nothing_secret() {
    for world in World::each().await {
        world.user("ada@example.com").await;
        world.session(world.user("eve@example.com").await).await;
        let (laptop, _) = signed_in(&world, "Laptop/1").await;
        world.clock.advance(Duration::from_secs(5));
        let (phone, ada) = signed_in(&world, "Phone/1").await;

        let list = ada.get("/api/auth/sessions").await.is(200);

        assert_eq!((list.at("/object"), list.at("/pagination/total")), (json!("list"), json!(2)));
        assert_eq!((list.text_at("/data/0/id"), list.text_at("/data/1/id")), (phone.clone(), laptop));
        assert_eq!((list.at("/data/0/current"), list.at("/data/1/current")), (json!(true), json!(false)));
        let mine = json!({
            "object": "session", "id": phone, "current": true, "ip": "192.0.2.7", "userAgent": "Phone/1",
            "createdAt": "2026-11-21T12:00:05.000Z", "expiresAt": "2026-11-28T12:00:05.000Z"
        });
        assert_eq!(list.at("/data/0"), mine, "this and nothing more: no token");
        let second = ada.get("/api/auth/sessions?page=2&pageSize=1").await.is(200);
        assert_eq!(second.at("/data/0/userAgent"), "Laptop/1");
        world.clock.advance(ALMOST_A_WEEK);
        assert_eq!(ada.get("/api/auth/sessions").await.is(200).at("/pagination/total"), 1, "the laptop's has ended by itself");
    }
}

#[tokio::test]
async fn a_session_is_ended_from_another_at_once() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    let (id, laptop) = signed_in(&world, "Laptop/1").await;
    let (_, phone) = signed_in(&world, "Phone/1").await;
    let path = format!("/api/auth/sessions/{id}");
    laptop.get("/api/orgs").await.is(200);
    phone.delete(&path).await.is(204);
    laptop.get("/api/orgs").await.refused(Code::Unauthorized);
    phone.delete(&path).await.refused(Code::NotFound);
    phone.get("/api/orgs").await.is(200);
}

#[tokio::test]
async fn another_users_session_reads_as_none() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let colleague = world.session(ada.joined(Role::Admin).await).await;
    let foreign = world.session(bob.owner).await;
    let absent = "ses_01jd9xq3e8f2t8v0k3m5n7p9r1".to_owned();
    let mut seen = Vec::new();
    for id in [colleague.session.id.to_string(), foreign.session.id.to_string(), absent, "nonsense".to_owned()] {
        let reply = ada.delete(&format!("/api/auth/sessions/{id}")).await.refused(Code::NotFound);
        seen.push((reply.stable(&[&id]), reply.stable_headers()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    for token in [colleague.token, foreign.token] {
        world.anonymous().with_cookie(token.expose()).get("/api/auth/get-session").await.is(200);
    }
}

#[tokio::test]
async fn all_other_sessions_end_together_and_nobody_elses() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    let eve = world.session(world.user("eve@example.com").await).await;
    let (_, laptop) = signed_in(&world, "Laptop/1").await;
    let (_, tablet) = signed_in(&world, "Tablet/1").await;
    let (_, phone) = signed_in(&world, "Phone/1").await;
    phone.delete("/api/auth/sessions").await.is(204);
    for ended in [laptop, tablet] {
        ended.get("/api/orgs").await.refused(Code::Unauthorized);
    }
    phone.get("/api/orgs").await.is(200);
    world.anonymous().with_cookie(eve.token.expose()).get("/api/orgs").await.is(200);
}

#[tokio::test]
async fn a_session_in_use_goes_on_and_one_that_rests_ends_after_a_week() {
    for world in World::each().await {
        world.user("ada@example.com").await;
        let (_, resting) = signed_in(&world, "Resting/1").await;
        let (_, used) = signed_in(&world, "Used/1").await;
        world.clock.advance(ALMOST_A_DAY);
        assert!(used.get("/api/orgs").await.is(200).header("set-cookie").is_none(), "once a day is enough");
        for day in 2..10 {
            world.clock.advance(DAY);
            let reply = used.get("/api/auth/get-session").await.is(200);
            let cookie = reply.header("set-cookie").unwrap_or_else(|| panic!("day {day}: the cookie ends before the session"));
            assert!(cookie.contains("Max-Age=604800") && cookie.contains("HttpOnly"), "{cookie}");
            let again = world.anonymous().with_cookie(&token(&reply)).get("/api/auth/get-session").await.is(200);
            assert_eq!(again.at("/expiresAt"), reply.at("/expiresAt"), "it is the same session, with its new end");
            assert!(again.header("set-cookie").is_none());
        }
        resting.get("/api/orgs").await.refused(Code::Unauthorized);
        world.clock.advance(ALMOST_A_WEEK);
        world.clock.advance(Duration::from_secs(1));
        used.get("/api/orgs").await.refused(Code::Unauthorized);
    }
}

#[tokio::test]
async fn signing_out_is_not_undone_by_a_prolonged_cookie() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    let (_, ada) = signed_in(&world, "Laptop/1").await;
    world.clock.advance(2 * DAY);
    let reply = ada.send(axum::http::Method::POST, "/api/auth/sign-out", None).await.is(204);
    assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 1);
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    ada.get("/api/orgs").await.refused(Code::Unauthorized);
}

#[tokio::test]
async fn keys_have_no_sessions() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    key.get("/api/auth/sessions").await.refused(Code::Forbidden);
    key.delete("/api/auth/sessions").await.refused(Code::Forbidden);
}
