use domain::Code;
use serde_json::json;
use store::failpoints::{Fault, Point};

use super::token;
use crate::world::World;

#[tokio::test]
async fn a_new_user_is_signed_in_at_once() {
    let world = World::start().await;
    let body = json!({"name": "Ada Lovelace", "email": " Ada@Example.com ", "password": "correct horse"});

    let reply = world.anonymous().post("/api/auth/sign-up/email", &body).await.is(201);

    assert_eq!(reply.at("/object"), "session");
    assert_eq!(reply.at("/user/email"), "ada@example.com");
    assert_eq!(reply.at("/user/emailVerified"), false);
    let cookie = reply.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!reply.text.contains(&token(&reply)), "the token is in the cookie only");
    let session = world.anonymous().with_cookie(&token(&reply)).get("/api/auth/get-session").await.is(200);
    assert_eq!(session.at("/id"), reply.at("/id"));
}

#[tokio::test]
async fn https_makes_the_cookie_a_host_cookie_that_is_accepted() {
    let world = World::with(|options| options.app_url = "https://agents.example".parse().unwrap()).await;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
    let reply = world.anonymous().post("/api/auth/sign-up/email", &body).await.is(201);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-appstrate_session=") && cookie.contains("Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    world.anonymous().with("cookie", pair).get("/api/auth/get-session").await.is(200);
}

#[tokio::test]
async fn an_email_belongs_to_one_user_in_whatever_case() {
    let world = World::start().await;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
    world.anonymous().post("/api/auth/sign-up/email", &body).await.is(201);
    let again = json!({"name": "Eve", "email": "ADA@example.com", "password": "another horse"});
    let reply = world.anonymous().post("/api/auth/sign-up/email", &again).await.refused(Code::EmailTaken);
    assert!(reply.header("set-cookie").is_none());
}

#[tokio::test]
async fn every_wrong_value_has_its_pointer() {
    let world = World::start().await;
    let body = json!({"name": "", "email": "ada", "password": "short"});
    let reply = world.anonymous().post("/api/auth/sign-up/email", &body).await;
    for pointer in ["/name", "/email"] {
        let errors = reply.at("/errors");
        assert!(errors.as_array().unwrap().iter().any(|error| error["pointer"] == pointer), "{reply}");
    }
    reply.invalid_at("/password");
}

#[tokio::test]
async fn an_account_comes_with_its_session_or_not_at_all() {
    for world in World::each().await {
        let body = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
        for point in [Point::Answering, Point::Audited] {
            world.failpoints.arm(point, Fault::Error);
            world.anonymous().post("/api/auth/sign-up/email", &body).await.refused(Code::Unavailable);
        }
        let reply = world.anonymous().post("/api/auth/sign-up/email", &body).await.is(201);
        let rows = world.platform_audit().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((rows[0].status, rows[0].subject.clone()), (Some(201), Some(reply.text_at("/user/id"))));
        assert!(rows[0].detail.contains(&reply.text_at("/id")), "{rows:?}");
    }
}

#[tokio::test]
async fn a_busy_server_refuses_before_it_changes_anything() {
    let world = World::with_mail().await;
    let ada = world.tenant("ada").await;
    let invitations = format!("/api/orgs/{}/invitations", ada.org);
    let sign_up = json!({"name": "Carol", "email": "carol@example.com", "password": "correct horse"});
    let email = json!({"email": "dan@example.com"});
    let places = world.busy(256);
    world.anonymous().post("/api/auth/sign-up/email", &sign_up).await.refused(Code::Unavailable);
    world.anonymous().post("/api/auth/forgot-password", &email).await.refused(Code::Unavailable);
    ada.post(&invitations, &email).await.refused(Code::Unavailable);
    drop(places);
    assert_eq!(world.platform_audit().await, []);
    assert_eq!(ada.get(&invitations).await.is(200).at("/pagination/total"), 0);
    world.anonymous().post("/api/auth/sign-up/email", &sign_up).await.is(201);
    assert_eq!(world.mails().await[0].subject, "Confirm your e-mail address", "nobody was signed up before");
}
