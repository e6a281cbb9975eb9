use std::time::Duration;

use domain::Code;
use serde_json::json;

use super::{secret, token};
use crate::world::World;

fn ada() -> serde_json::Value {
    json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"})
}

#[tokio::test]
async fn with_mail_an_account_begins_with_its_link() {
    for world in World::each_with_mail().await {
        let reply = world.anonymous().post("/api/auth/sign-up/email", &ada()).await.is(201);
        assert_eq!(reply.json(), json!({"object": "sign_up", "email": "ada@example.com", "requiresVerification": true}));
        assert!(reply.header("set-cookie").is_none(), "no session before the address is proven");
        let sign_in = json!({"email": "ada@example.com", "password": "correct horse"});
        let refused = world.anonymous().post("/api/auth/sign-in/email", &sign_in).await.refused(Code::EmailNotVerified);
        assert!(refused.header("set-cookie").is_none());
        let wrong = json!({"email": "ada@example.com", "password": "wrong horse!"});
        world.anonymous().post("/api/auth/sign-in/email", &wrong).await.refused(Code::InvalidCredentials);

        let mails = world.mails().await;
        assert_eq!((mails.len(), mails[0].to.as_str(), mails[0].subject.as_str()), (1, "ada@example.com", "Confirm your e-mail address"));
        assert!(mails[0].text.contains("http://localhost:3000/verify-email?token="), "{mails:?}");
        let link = json!({ "token": secret(&mails[0]) });
        world.anonymous().post("/api/auth/verify-email", &link).await.is(204);
        world.anonymous().post("/api/auth/verify-email", &link).await.refused(Code::InvalidToken);

        let reply = world.anonymous().post("/api/auth/sign-in/email", &sign_in).await.is(200);
        assert_eq!(reply.at("/user/emailVerified"), true);
        world.anonymous().with_cookie(&token(&reply)).get("/api/orgs").await.is(200);
    }
}

#[tokio::test]
async fn a_link_can_be_asked_for_again_and_lasts_a_day() {
    let world = World::with_mail().await;
    world.anonymous().post("/api/auth/sign-up/email", &ada()).await.is(201);
    let first = secret(&world.mails().await[0]);
    world.clock.advance(Duration::from_hours(24));
    world.anonymous().post("/api/auth/verify-email", &json!({ "token": first })).await.refused(Code::InvalidToken);
    world.anonymous().post("/api/auth/send-verification-email", &json!({"email": "ada@example.com"})).await.is(202);
    let second = secret(&world.mails().await[0]);
    world.anonymous().post("/api/auth/verify-email", &json!({ "token": second })).await.is(204);
    world.anonymous().post("/api/auth/send-verification-email", &json!({"email": "ada@example.com"})).await.is(202);
    assert_eq!(world.mails().await, [], "there is nothing more to prove");
}

#[tokio::test]
async fn who_signs_up_first_with_a_foreign_address_keeps_nothing() {
    let world = World::with_mail().await;
    let mallory = json!({"name": "Mallory", "email": "ada@example.com", "password": "mallory's horse"});
    world.anonymous().post("/api/auth/sign-up/email", &mallory).await.is(201);
    world.mails().await;
    world.anonymous().post("/api/auth/sign-up/email", &ada()).await.is(201);
    let mails = world.mails().await;
    assert_eq!(mails[0].subject, "You have an account already");
    let body = json!({"token": secret(&mails[0]), "newPassword": "correct horse"});
    world.anonymous().post("/api/auth/reset-password", &body).await.is(204);
    let sign_in = |password: &str| json!({"email": "ada@example.com", "password": password});
    world.anonymous().post("/api/auth/sign-in/email", &sign_in("correct horse")).await.is(200);
    world.anonymous().post("/api/auth/sign-in/email", &sign_in("mallory's horse")).await.refused(Code::InvalidCredentials);
}
