use std::time::Duration;

use domain::Code;
use serde_json::json;
use store::TokenPurpose;

use super::secret;
use crate::world::{Actor, Reply, World};

async fn forgot(world: &World, email: &str) -> Reply {
    world.anonymous().post("/api/auth/forgot-password", &json!({ "email": email })).await
}

async fn reset(caller: &Actor<'_>, token: &str, password: &str) -> Reply {
    caller.post("/api/auth/reset-password", &json!({"token": token, "newPassword": password})).await
}

async fn signs_in(world: &World, password: &str) -> u16 {
    let body = json!({"email": "ada@example.com", "password": password});
    world.anonymous().post("/api/auth/sign-in/email", &body).await.status
}

#[tokio::test]
async fn a_mailed_link_sets_a_password_once_ends_every_session_and_proves_the_address() {
    for world in World::each_with_mail().await {
        let ada = world.tenant("ada").await;
        assert_eq!(signs_in(&world, "correct horse").await, 403, "the address was never proven");

        forgot(&world, "ADA@example.com").await.is(202);

        let mails = world.mails().await;
        assert_eq!((mails.len(), mails[0].to.as_str()), (1, "ada@example.com"));
        assert!(mails[0].text.contains("http://localhost:3000/reset-password?token="), "{mails:?}");
        let (link, anyone) = (secret(&mails[0]), world.anonymous());
        reset(&anyone, &link, "battery staple").await.is(204);
        ada.get("/api/orgs").await.refused(Code::Unauthorized);
        assert_eq!((signs_in(&world, "battery staple").await, signs_in(&world, "correct horse").await), (200, 401));
        reset(&anyone, &link, "another horse").await.refused(Code::InvalidToken);
        assert_eq!(signs_in(&world, "battery staple").await, 200);
        assert_eq!(world.mails().await[0].subject, "Your password was changed");
    }
}

#[tokio::test]
async fn a_link_lasts_an_hour_and_is_good_for_nothing_else() {
    let world = World::with_mail().await;
    let ada = world.user("ada@example.com").await;
    let anyone = world.anonymous();
    let other = world.account_token(ada, TokenPurpose::VerifyEmail).await;
    reset(&anyone, &other, "battery staple").await.refused(Code::InvalidToken);
    for nonsense in ["x", "ask_0000", "' OR 1=1 --"] {
        reset(&anyone, nonsense, "battery staple").await.refused(Code::InvalidToken);
    }
    forgot(&world, "ada@example.com").await.is(202);
    let link = secret(&world.mails().await[0]);
    anyone.post("/api/auth/verify-email", &json!({ "token": link })).await.refused(Code::InvalidToken);
    reset(&anyone, &link, "short").await.invalid_at("/newPassword");
    world.clock.advance(Duration::from_hours(1));
    reset(&anyone, &link, "battery staple").await.refused(Code::InvalidToken);
    forgot(&world, "ada@example.com").await.is(202);
    let link = secret(&world.mails().await[0]);
    world.clock.advance(Duration::from_secs(3_599));
    reset(&anyone, &link, "battery staple").await.is(204);
}

#[tokio::test]
async fn one_link_used_voids_the_others() {
    let world = World::with_mail().await;
    world.user("ada@example.com").await;
    for _ in 0..2 {
        forgot(&world, "ada@example.com").await.is(202);
    }
    let mails = world.mails().await;
    reset(&world.anonymous(), &secret(&mails[0]), "battery staple").await.is(204);
    reset(&world.anonymous(), &secret(&mails[1]), "evil staple 1").await.refused(Code::InvalidToken);
}

#[tokio::test]
async fn two_who_use_one_link_at_once_are_one_too_many() {
    for world in World::each_with_mail().await {
        world.user("ada@example.com").await;
        forgot(&world, "ada@example.com").await.is(202);
        let link = secret(&world.mails().await[0]);
        let anyone = world.anonymous();
        let replies = futures::future::join_all((0..8).map(|at| {
            let (anyone, link) = (anyone.clone(), link.clone());
            async move { reset(&anyone, &link, &format!("battery staple {at}")).await.status }
        }))
        .await;
        assert_eq!(replies.iter().filter(|status| **status == 204).count(), 1, "{replies:?}");
        assert_eq!(replies.iter().filter(|status| **status == 400).count(), 7, "{replies:?}");
    }
}

/// Each of these comes to one account's rows from another side; in two orders each would wait for the other's second.
#[tokio::test]
async fn of_two_changes_to_one_account_at_once_none_fails_and_no_link_outlives_a_new_password() {
    const PAIRS: [[&str; 2]; 5] = [["older", "newer"], ["newer", "older"], ["newer", "proof"], ["newer", "change"], ["older", "change"]];
    for world in World::each_with_mail().await {
        for (round, pair) in PAIRS.into_iter().enumerate() {
            let email = format!("ada{round}@example.com");
            let ada = world.user(&email).await;
            let caller = world.anonymous().with_cookie(world.session(ada).await.token.expose());
            let (older, newer) =
                (world.account_token(ada, TokenPurpose::ResetPassword).await, world.account_token(ada, TokenPurpose::ResetPassword).await);
            let proof = world.account_token(ada, TokenPurpose::VerifyEmail).await;
            let send = async |what: &str| match what {
                "older" => reset(&caller, &older, "battery staple").await,
                "newer" => reset(&caller, &newer, "battery staple").await,
                "proof" => caller.post("/api/auth/verify-email", &json!({ "token": proof })).await,
                _ => {
                    let body = json!({"currentPassword": "correct horse", "newPassword": "paper clip 12"});
                    caller.post("/api/auth/change-password", &body).await
                }
            };
            let first = world.store.system().write(store::WriteContext::internal()).await.unwrap();
            first.users().update(ada, store::UserChange { name: Some("Ada".to_owned()), language: None }).await.unwrap();
            let goes_on = async {
                world.until_waiting(2).await;
                first.commit().await.unwrap();
            };
            let (one, other, ()) = tokio::join!(send(pair[0]), send(pair[1]), goes_on);

            let statuses = [one.status, other.status];
            assert!(statuses.contains(&204) && statuses.iter().all(|status| matches!(status, 204 | 400 | 401)), "{pair:?}: {one} {other}");
            assert!(pair[1] == "proof" || statuses != [204, 204], "{pair:?}: {statuses:?}");
            for link in [&older, &newer] {
                reset(&world.anonymous(), link, "evil staple 1").await.refused(Code::InvalidToken);
            }
        }
    }
}

#[tokio::test]
async fn a_mailbox_is_not_flooded() {
    let world = World::with_mail().await;
    world.user("ada@example.com").await;
    for _ in 0..20 {
        forgot(&world, "ada@example.com").await.is(202);
    }
    assert_eq!(world.mails().await.len(), 3);
    world.clock.advance(Duration::from_mins(1));
    forgot(&world, "ada@example.com").await.is(202);
    assert_eq!(world.mails().await.len(), 1, "later there is one more");
}

#[tokio::test]
async fn a_server_without_mail_says_so() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    forgot(&world, "ada@example.com").await.refused(Code::MailNotConfigured);
    world.anonymous().post("/api/auth/forgot-password", &json!({"email": "nonsense"})).await.invalid_at("/email");
    let body = json!({"email": "ada@example.com"});
    world.anonymous().post("/api/auth/send-verification-email", &body).await.refused(Code::MailNotConfigured);
}

#[tokio::test]
async fn a_reset_ends_the_wait_after_wrong_guesses() {
    let world = World::with_mail().await;
    let ada = world.proven_user("ada@example.com").await;
    for _ in 0..10 {
        assert_eq!(signs_in(&world, "a wrong guess").await, 401);
    }
    assert_eq!(signs_in(&world, "correct horse").await, 429);
    let link = world.account_token(ada, TokenPurpose::ResetPassword).await;
    reset(&world.anonymous(), &link, "battery staple").await.is(204);
    assert_eq!(signs_in(&world, "battery staple").await, 200);
}
