//! Tickets: one stream each, with all that its maker may see and no more.

use std::time::Duration;

use axum::http::Method;
use domain::{Code, Role};
use serde_json::json;

use super::start;
use crate::walk::Stage;
use crate::world::{Actor, World};

const ALL: &str = "/api/realtime/runs";
const TICKETS: &str = "/api/realtime/tickets";

async fn ticket(maker: &Actor<'_>) -> String {
    let made = maker.post(TICKETS, &json!({})).await.is(201);
    assert_eq!(made.at("/object"), "stream_ticket");
    made.text_at("/ticket")
}

#[tokio::test]
async fn a_ticket_opens_one_stream_as_its_maker() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let (grace, alan) = (stage.key.as_user(stage.grace), stage.key.as_user(stage.alan));
        let (hers, his) = (start(&grace, "@own/helper").await, start(&alan, "@own/helper").await);
        let anonymous = world.anonymous();

        let of_grace = ticket(&grace).await;
        let mut stream = anonymous.open(&format!("{ALL}?ticket={of_grace}")).await;
        assert_eq!(stream.take(1).await[0].run(), hers);
        anonymous.get(&format!("{ALL}?ticket={of_grace}")).await.refused(Code::Unauthorized);

        for (maker, run, expected) in [
            (&grace, &hers, 200),
            (&grace, &his, 404),
            (&*stage.own, &his, 200),
            (&stage.key, &hers, 200),
            (&stage.sibling_key, &hers, 404),
            (&stage.foreign_key, &hers, 404),
        ] {
            let path = format!("/api/realtime/runs/{run}?ticket={}", ticket(maker).await);
            match expected {
                200 => assert_eq!(anonymous.open(&path).await.take(1).await[0].run(), run),
                _ => drop(anonymous.get(&path).await.refused(Code::NotFound)),
            }
            anonymous.get(&path).await.refused(Code::Unauthorized);
        }
        // A viewer may look, and a browser sends its cookie along, whosever it is.
        let viewer = ticket(&stage.own.member(Role::Viewer).await).await;
        let stranger = stage.foreign.without("x-org-id").without("x-app-id");
        let seen = stranger.open(&format!("{ALL}?ticket={viewer}")).await.take(2).await;
        assert_eq!([seen[0].run(), seen[1].run()], [hers, his]);
    }
}

#[tokio::test]
async fn a_ticket_is_for_one_minute_for_streams_and_for_nobody_else() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let anonymous = world.anonymous();
    let grace = stage.key.as_user(stage.grace);
    let run = start(&grace, "@own/helper").await;

    let late = ticket(&grace).await;
    world.clock.advance(Duration::from_mins(1));
    anonymous.get(&format!("{ALL}?ticket={late}")).await.refused(Code::Unauthorized);
    for wrong in ["tkt_", "", "tkt_000000000000000000000000000000000000000000000000", "%00"] {
        anonymous.get(&format!("{ALL}?ticket={wrong}")).await.refused(Code::Unauthorized);
    }

    // Nowhere but at streams.
    let unused = ticket(&grace).await;
    anonymous.get(&format!("/api/runs/{run}?ticket={unused}")).await.refused(Code::Unauthorized);
    anonymous.send(Method::POST, &format!("{TICKETS}?ticket={unused}"), Some(&json!({}))).await.refused(Code::Unauthorized);
    anonymous.with_key(&unused).get(ALL).await.refused(Code::Unauthorized);
    anonymous.open(&format!("{ALL}?ticket={unused}&endUser={}&appId={}&orgId={}", stage.grace, stage.own.app, stage.own.org)).await;

    // A ticket says who calls; nothing beside it says something else.
    for (also, code) in [
        (format!("endUser={}", stage.alan), Code::Forbidden),
        (format!("appId={}", stage.sibling_app), Code::Forbidden),
        (format!("orgId={}", stage.foreign.org), Code::Forbidden),
        ("token=ask_1".to_owned(), Code::InvalidRequest),
        ("ticket=tkt_1".to_owned(), Code::InvalidRequest),
    ] {
        let path = format!("{ALL}?ticket={}&{also}", ticket(&grace).await);
        anonymous.get(&path).await.refused(code);
    }
    let of_application = ticket(&stage.key).await;
    anonymous.get(&format!("{ALL}?ticket={of_application}&endUser={}", stage.grace)).await.refused(Code::Forbidden);
}

#[tokio::test]
async fn credentials_in_a_query_make_no_ticket() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let created = stage.own.post("/api/api-keys", &json!({"name": "Stream", "scopes": ["runs:read"]})).await.is(201);
    let secret = created.text_at("/key");
    let anonymous = world.anonymous();
    anonymous.post(&format!("{TICKETS}?token={secret}"), &json!({})).await.refused(Code::Unauthorized);
    stage.own.key(&["agents:read"]).await.post(TICKETS, &json!({})).await.refused(Code::Forbidden);
    let made = anonymous.with_key(&secret).send(Method::POST, TICKETS, None).await.is(201);
    assert_eq!(made.header("location"), Some(ALL));
    let audit = stage.own.audit().await;
    assert!(audit.iter().all(|row| !format!("{row:?}").contains(&made.text_at("/ticket"))));
}
