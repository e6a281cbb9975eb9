//! Every impersonated request leaves exactly one row.

use axum::http::Method;
use domain::Role;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::walk::Stage;
use crate::world::{Actor, Reply, Tenant, World};

/// Sends the request and gives the reply with the one row that it has left.
async fn one_row(
    tenant: &Tenant<'_>,
    caller: &Actor<'_>,
    (method, path, body): (Method, &str, Option<&Value>),
) -> (Reply, store::AuditRow) {
    let before: Vec<_> = tenant.audit().await.into_iter().map(|row| row.id).collect();
    let reply = caller.send(method, path, body).await;
    let mut new: Vec<_> = tenant.audit().await.into_iter().filter(|row| !before.contains(&row.id)).collect();
    assert_eq!(new.len(), 1, "{reply}: {new:#?}");
    let row = new.remove(0);
    assert_eq!(row.status, Some(reply.status), "{reply}");
    assert_eq!(Some(row.request.to_string().as_str()), reply.header("request-id"));
    (reply, row)
}

#[tokio::test]
async fn reads_refusals_misses_writes_and_faults_leave_one_row_each() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let grace = ada.end_user("Grace").await;
        let (key_id, key) = ada.key_of(ada.plan(&["end-users:read", "end-users:write", "applications:read"])).await;
        let as_grace = key.as_user(grace).with("user-agent", "story/1").with("x-forwarded-for", "6.6.6.6, 192.0.2.7");
        let own = format!("/api/end-users/{grace}");
        let missing = "/api/end-users/eu_01jd9xq3e8f2t8v0k3m5n7p9r1";
        let body = json!({"name": "Eve"});

        for (request, status, permission) in [
            ((Method::GET, own.as_str(), None), 200, "end-users:read"),
            ((Method::GET, "/api/end-users?page=0", None), 422, "end-users:read"),
            ((Method::GET, missing, None), 404, "end-users:read"),
            ((Method::POST, "/api/end-users", Some(&body)), 403, "end-users:write"),
            ((Method::PATCH, own.as_str(), Some(&body)), 403, "end-users:write"),
            ((Method::GET, "/api/api-keys", None), 403, "api-keys:read"),
            ((Method::GET, "/api/auth/get-session", None), 403, "signed-in"),
            ((Method::GET, "/api/applications", None), 200, "member"),
            ((Method::POST, "/api/auth/sign-in/email", Some(&body)), 422, "public"),
        ] {
            let (reply, row) = one_row(&ada, &as_grace, request.clone()).await;
            let reply = reply.is(status);
            assert_eq!((row.key, row.user, row.end_user), (Some(key_id), Some(ada.owner), Some(grace)));
            assert_eq!((row.org, row.app), (Some(ada.org), Some(ada.app)));
            assert_eq!((row.method.as_str(), row.path.as_str()), (request.0.as_str(), request.1.split('?').next().unwrap()));
            assert_eq!((row.ip.as_deref(), row.user_agent.as_deref()), (Some("192.0.2.7"), Some("story/1")));
            assert!(row.route.starts_with("/api/"), "{row:?}");
            assert_eq!(row.permission, permission);
            let (is_denied, is_refused) = (matches!(status, 401 | 403), status >= 400);
            assert_eq!(row.decision == domain::Decision::Denied, is_denied, "{row:?}");
            assert_eq!(row.code, is_refused.then(|| reply.text_at("/code")));
            let named = request.1.strip_prefix("/api/end-users/").map(ToOwned::to_owned);
            assert_eq!(row.subject, named, "what the path names");
        }
    }
}

#[tokio::test]
async fn what_reaches_no_route_leaves_a_row_too() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let grace = ada.end_user("Grace").await;
        let (key_id, key) = ada.key_of(ada.plan(&["end-users:read"])).await;
        let as_grace = key.as_user(grace);
        for (caller, request, status) in [
            (&as_grace, (Method::GET, "/api/nonsense", None), 404),
            (&as_grace, (Method::DELETE, "/api/end-users", None), 405),
            (&as_grace.with("appstrate-version", "2020-01-01"), (Method::GET, "/api/end-users", None), 400),
        ] {
            let (_, row) = one_row(&ada, caller, request).await;
            assert_eq!((row.status, row.end_user, row.key), (Some(status), Some(grace), Some(key_id)));
            assert_eq!((row.permission.as_str(), row.app), ("", Some(ada.app)));
        }
        let nobody = key.with("appstrate-user", "eu_01jd9xq3e8f2t8v0k3m5n7p9r1");
        let (reply, row) = one_row(&ada, &nobody, (Method::GET, "/api/nonsense", None)).await;
        assert_eq!((reply.is(404).status, row.end_user, row.key), (404, None, Some(key_id)));
        // Nobody is impersonated by these.
        for caller in [&key, &*ada, &world.anonymous().as_user(grace), &world.anonymous().with_key("ask_no").as_user(grace)] {
            let before = ada.audit().await.len();
            caller.get("/api/nonsense").await.is(404);
            assert_eq!(ada.audit().await.len(), before);
        }
    }
}

#[tokio::test]
async fn a_limit_that_is_met_leaves_a_row() {
    let limits = r#"{"read": {"limit": 1}}"#.parse().unwrap();
    let world = World::with(|options| options.rate_limits = limits).await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    let key = ada.key(&["end-users:read"]).await;
    key.as_user(grace).get("/api/end-users").await.is(200);
    let (reply, row) = one_row(&ada, &key.as_user(grace), (Method::GET, "/api/end-users", None)).await;
    reply.refused(domain::Code::RateLimited);
    assert_eq!((row.decision, row.end_user), (domain::Decision::Denied, Some(grace)));
    assert_eq!(row.code.as_deref(), Some("rate_limited"));
    let nobody = key.with("appstrate-user", "eu_01jd9xq3e8f2t8v0k3m5n7p9r1");
    one_row(&ada, &nobody, (Method::GET, "/api/end-users", None)).await.0.refused(domain::Code::RateLimited);
}

#[tokio::test]
async fn a_stream_leaves_its_row_when_it_begins() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let grace = stage.key.as_user(stage.grace);
        let ticket = grace.post("/api/realtime/tickets", &json!({})).await.is(201).text_at("/ticket");
        let before = world.traces().await.len();
        let stream = grace.open("/api/realtime/runs").await;
        let row = stage.own.audit().await.remove(0);
        assert_eq!((row.permission.as_str(), row.end_user, row.status), ("runs:read", Some(stage.grace), Some(200)));
        let by_ticket = world.anonymous().open(&format!("/api/realtime/runs?ticket={ticket}")).await;
        let row = stage.own.audit().await.remove(0);
        assert_eq!((row.route.as_str(), row.end_user, row.status), ("/api/realtime/runs", Some(stage.grace), Some(200)));
        drop((stream, by_ticket));
        let traces = world.traces().await;
        assert_eq!(traces.len(), before + 2);
        assert!(traces.iter().all(|trace| !trace.text.contains(&ticket)), "a ticket is a secret");
    }
}

#[tokio::test]
async fn a_repetition_is_a_request_of_its_own() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let grace = stage.key.as_user(stage.grace).with("idempotency-key", "once");
        let body = json!({"agentId": "@own/helper"});
        let (first, _) = one_row(&stage.own, &grace, (Method::POST, "/api/runs", Some(&body))).await;
        let (again, row) = one_row(&stage.own, &grace, (Method::POST, "/api/runs", Some(&body))).await;
        assert_eq!((again.header("idempotent-replayed"), again.json()), (Some("true"), first.json()));
        assert_eq!((row.permission.as_str(), row.status), ("agents:run", Some(200)));
    }
}

async fn fault() {
    panic!("the test asked for this panic");
}

#[tokio::test]
async fn a_panic_under_impersonation_leaves_its_row() {
    let world = World::with_routes(axum::Router::new().route("/api/fault", axum::routing::get(fault))).await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    let (reply, row) = one_row(&ada, &ada.full_key().await.as_user(grace), (Method::GET, "/api/fault", None)).await;
    reply.refused(domain::Code::InternalError);
    assert_eq!(row.end_user, Some(grace));
}

static ENTERED: Notify = Notify::const_new();
static RELEASED: Notify = Notify::const_new();

async fn slow() {
    ENTERED.notify_one();
    RELEASED.notified().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_take_its_row_along() {
    let world = World::with_routes(axum::Router::new().route("/api/slow", axum::routing::get(slow))).await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    let caller = ada.full_key().await.as_user(grace);
    tokio::select! {
        reply = caller.get("/api/slow") => panic!("answered before it was let go: {reply}"),
        () = ENTERED.notified() => {}
    }
    assert_eq!(ada.audit().await.len(), 0);
    RELEASED.notify_one();
    let row = async {
        loop {
            match ada.audit().await.pop() {
                Some(row) => break row,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let row = tokio::time::timeout(std::time::Duration::from_secs(30), row).await.unwrap();
    assert_eq!((row.route.as_str(), row.end_user, row.status), ("/api/slow", Some(grace), Some(200)));
}

#[tokio::test]
async fn a_write_leaves_its_row_with_its_change_whoever_makes_it() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    let body = json!({"name": "Eve"});
    for caller in [key, ada.member(Role::Member).await] {
        let (reply, row) = one_row(&ada, &caller, (Method::POST, "/api/end-users", Some(&body))).await;
        reply.is(201);
        assert_eq!((row.permission.as_str(), row.route.as_str(), row.end_user), ("end-users:write", "/api/end-users", None));
    }
}

#[tokio::test]
async fn an_end_users_own_writes_carry_their_row_once() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let grace = stage.key.as_user(stage.grace);
        let body = json!({"agentId": "@own/helper"});
        let (reply, row) = one_row(&stage.own, &grace, (Method::POST, "/api/runs", Some(&body))).await;
        let path = format!("/api/runs/{}/cancel", reply.is(200).text_at("/runId"));
        assert_eq!((row.permission.as_str(), row.end_user), ("agents:run", Some(stage.grace)));
        let (reply, row) = one_row(&stage.own, &grace, (Method::POST, &path, None)).await;
        assert_eq!(reply.is(200).at("/status"), "cancelled");
        assert_eq!((row.permission.as_str(), row.route.as_str()), ("runs:cancel", "/api/runs/{id}/cancel"));
        let (reply, _) = one_row(&stage.own, &grace, (Method::POST, &path, None)).await;
        reply.refused(domain::Code::NotCancellable);
        let secret = json!({"apiKey": "shop-secret-5f2c9e71"});
        let path = "/api/connections/connect/@own/shop/api-key";
        let (reply, row) = one_row(&stage.own, &grace, (Method::POST, path, Some(&secret))).await;
        reply.is(201);
        assert!(!format!("{row:?}").contains("shop-secret"), "{row:?}");
    }
}

#[tokio::test]
async fn an_attempt_at_someone_who_is_no_end_user_leaves_a_row_too() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let (key_id, key) = ada.key_of(ada.plan(&["end-users:read"])).await;
    for claimed in [bob.end_user("Foreign").await.to_string(), "nonsense".to_owned()] {
        let (reply, row) = one_row(&ada, &key.with("appstrate-user", &claimed), (Method::GET, "/api/end-users", None)).await;
        reply.is(403);
        assert_eq!((row.key, row.end_user, row.app), (Some(key_id), None, Some(ada.app)));
    }
    assert_eq!(bob.audit().await.len(), 0, "the foreign tenant hears nothing of it");
}

#[tokio::test]
async fn a_malformed_request_of_an_end_user_leaves_a_row() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let grace = ada.end_user("Grace").await;
        let (key_id, key) = ada.key_of(ada.plan(&["end-users:read", "runs:read"])).await;
        let as_grace = key.as_user(grace);
        let (org, app) = (ada.org.to_string(), ada.app.to_string());
        for (caller, end_user) in [
            (as_grace.with("x-app-id", &app).with("x-app-id", &app), Some(grace)),
            (as_grace.with("x-org-id", &org).with("x-org-id", "nonsense"), Some(grace)),
            (as_grace.with_key("ask_2"), Some(grace)),
            (as_grace.with("appstrate-version", "latest"), Some(grace)),
            // Of two end-users nobody knows which one is meant.
            (as_grace.as_user(grace), None),
        ] {
            let (reply, row) = one_row(&ada, &caller, (Method::GET, "/api/end-users", None)).await;
            assert_eq!(reply.status, 400, "{reply}");
            assert_eq!((row.key, row.end_user, row.app), (Some(key_id), end_user, Some(ada.app)), "{reply}");
        }
        let doubled = as_grace.with("x-app-id", &app).with("x-app-id", &app);
        one_row(&ada, &doubled, (Method::GET, "/api/nonsense", None)).await.0.refused(domain::Code::NotFound);
    }
}

#[tokio::test]
async fn an_end_users_ticket_that_is_used_as_another_leaves_a_row() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let stream = "/api/realtime/runs";
        let ticket = async |maker: &Actor<'_>| maker.post("/api/realtime/tickets", &json!({})).await.is(201).text_at("/ticket");
        let anonymous = world.anonymous();

        let of_grace = ticket(&stage.key.as_user(stage.grace)).await;
        let path = format!("{stream}?ticket={of_grace}&endUser={}", stage.alan);
        let (reply, row) = one_row(&stage.own, &anonymous, (Method::GET, &path, None)).await;
        reply.refused(domain::Code::Forbidden);
        assert_eq!((row.end_user, row.decision), (Some(stage.grace), domain::Decision::Denied));
        assert!(format!("{row:?}").contains(&stage.alan.to_string()), "{row:?}");

        let of_application = ticket(&stage.key).await;
        let path = format!("{stream}?ticket={of_application}&endUser={}", stage.alan);
        let (reply, row) = one_row(&stage.own, &anonymous, (Method::GET, &path, None)).await;
        reply.refused(domain::Code::Forbidden);
        assert_eq!(row.end_user, None);

        // Refused for something else, it is an end-user's all the same.
        let of_grace = ticket(&stage.key.as_user(stage.grace)).await;
        let path = format!("{stream}?ticket={of_grace}&ticket={of_grace}");
        let (reply, row) = one_row(&stage.own, &anonymous, (Method::GET, &path, None)).await;
        reply.refused(domain::Code::InvalidRequest);
        assert_eq!(row.end_user, Some(stage.grace));

        // A member's ticket acts for nobody.
        let before = stage.own.audit().await.len();
        let of_member = ticket(&stage.own).await;
        let made = stage.own.audit().await.len();
        anonymous.get(&format!("{stream}?ticket={of_member}&endUser={}", stage.alan)).await.refused(domain::Code::Forbidden);
        assert_eq!((made, stage.own.audit().await.len()), (before + 1, made));
    }
}
