use std::time::Duration;

use domain::Code;
use serde_json::json;
use store::TokenPurpose;

use crate::world::World;

async fn signs_in(world: &World, password: &str) -> u16 {
    let body = json!({"email": "ada@example.com", "password": password});
    world.anonymous().post("/api/auth/sign-in/email", &body).await.status
}

#[tokio::test]
async fn the_new_password_opens_and_the_old_one_does_not() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let body = json!({"currentPassword": "correct horse", "newPassword": "battery staple"});
    ada.post("/api/auth/change-password", &body).await.is(204);
    assert_eq!((signs_in(&world, "correct horse").await, signs_in(&world, "battery staple").await), (401, 200));
}

#[tokio::test]
async fn other_sessions_end_when_asked_and_this_one_never() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let other = world.session(ada.owner).await;
    let other = world.anonymous().with_cookie(other.token.expose());
    let body = |from: &str, to: &str, ends| json!({"currentPassword": from, "newPassword": to, "revokeOtherSessions": ends});
    ada.post("/api/auth/change-password", &body("correct horse", "battery staple", false)).await.is(204);
    other.get("/api/orgs").await.is(200);
    ada.post("/api/auth/change-password", &body("battery staple", "paper clip 12", true)).await.is(204);
    other.get("/api/orgs").await.refused(Code::Unauthorized);
    ada.get("/api/orgs").await.is(200);
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let other = world.session(ada.owner).await;
    let body = json!({"currentPassword": "wrong horse!", "newPassword": "battery staple", "revokeOtherSessions": true});
    ada.post("/api/auth/change-password", &body).await.refused(Code::InvalidCredentials);
    world.anonymous().with_cookie(other.token.expose()).get("/api/orgs").await.is(200);
    assert_eq!((signs_in(&world, "correct horse").await, signs_in(&world, "battery staple").await), (200, 401));
    let short = json!({"currentPassword": "correct horse", "newPassword": "short"});
    ada.post("/api/auth/change-password", &short).await.invalid_at("/newPassword");
}

#[tokio::test]
async fn who_took_a_session_cannot_guess_the_password_faster_than_at_the_door() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let guess = json!({"currentPassword": "a wrong guess", "newPassword": "battery staple"});
    let right = json!({"currentPassword": "correct horse", "newPassword": "battery staple"});
    for _ in 0..10 {
        ada.post("/api/auth/change-password", &guess).await.refused(Code::InvalidCredentials);
    }
    ada.post("/api/auth/change-password", &right).await.refused(Code::TooManyAttempts);
    world.clock.advance(Duration::from_secs(1));
    ada.post("/api/auth/change-password", &right).await.is(204);
}

#[tokio::test]
async fn links_that_were_mailed_before_are_void_and_the_owner_is_told() {
    let world = World::with_mail().await;
    let ada = world.tenant("ada").await;
    let link = world.account_token(ada.owner, TokenPurpose::ResetPassword).await;
    let body = json!({"currentPassword": "correct horse", "newPassword": "battery staple"});
    ada.post("/api/auth/change-password", &body).await.is(204);
    let mails = world.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!((mails[0].to.as_str(), mails[0].subject.as_str()), ("ada@example.com", "Your password was changed"));
    let reset = json!({"token": link, "newPassword": "evil staple 1"});
    world.anonymous().post("/api/auth/reset-password", &reset).await.refused(Code::InvalidToken);
}
