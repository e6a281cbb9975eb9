//! The page that the link of an invitation leads to.

use std::time::Duration;

use domain::Code;
use serde_json::json;

use super::invite;
use crate::stories::auth::pages::{seen_by, submit_by};
use crate::world::{Actor, Provider, Reply, Tenant, World};

fn with_session<'w>(world: &'w World, reply: &Reply) -> Actor<'w> {
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
    world.anonymous().with_cookie(&cookie)
}

async fn members(ada: &Tenant<'_>) -> serde_json::Value {
    ada.get(&format!("/api/orgs/{}/members", ada.org)).await.is(200).at("/pagination/total")
}

#[tokio::test]
async fn somebody_new_makes_an_account_on_it_and_is_in() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        ada.patch(&format!("/api/orgs/{}", ada.org), &json!({"name": "<script>alert(1)</script>"})).await.is(200);
        let token = invite(&ada, "carol@example.com").await;
        let (anyone, path) = (world.anonymous(), format!("/invite/{token}"));
        seen_by(&anyone, &path).await;
        let page = seen_by(&anyone, &path).await;
        let told =
            ["ada@example.com invites you to &lt;script&gt;alert(1)&lt;/script&gt;", "As member, for carol@example.com", "has no account"];
        assert!(told.iter().all(|part| page.text.contains(part)) && !page.text.contains("<script>alert"), "{page}");
        assert_eq!(members(&ada).await, 1, "opening it changes nothing");

        submit_by(&anyone, &page, json!({"name": "Carol", "password": "short"})).await.invalid_at("/password");
        let accepted = submit_by(&anyone, &page, json!({"name": "Carol", "password": "correct horse"})).await.is(200);
        let carol = with_session(&world, &accepted).with("x-org-id", ada.org.to_string());
        carol.get(&format!("/api/orgs/{}", ada.org)).await.is(200);
        assert_eq!(members(&ada).await, 2);
        submit_by(&anyone, &page, json!({"name": "Eve", "password": "correct horse"})).await.refused(Code::InvitationExpired);
        let used = seen_by(&anyone, &path).await;
        assert!(used.text.contains("Invitation Expired") && !used.text.contains("<form"), "{used}");
    }
}

#[tokio::test]
async fn whoever_has_an_account_signs_in_on_it_and_accepts() {
    for world in World::each_with_mail().await {
        let ada = world.tenant("ada").await;
        world.proven_user("bob@example.com").await;
        let (_, token) = ada.invited("bob@example.com").await;
        let (anyone, path) = (world.anonymous(), format!("/invite/{token}"));
        let page = seen_by(&anyone, &path).await;
        assert!(page.text.contains("Sign in as bob@example.com") && page.text.contains("href=\"../forgot-password\""), "{page}");
        submit_by(&anyone, &page, json!({"password": "a wrong guess"})).await.refused(Code::InvalidCredentials);
        let signed_in = submit_by(&anyone, &page, json!({"password": "correct horse"})).await.is(200);

        let bob = with_session(&world, &signed_in);
        let page = seen_by(&bob, &path).await;
        assert!(page.text.contains("You are signed in as bob@example.com"), "{page}");
        submit_by(&anyone, &page, json!({})).await.refused(Code::Unauthorized);
        assert_eq!(submit_by(&bob, &page, json!({})).await.is(200).at("/isNewUser"), false);
        submit_by(&bob, &page, json!({})).await.refused(Code::InvitationExpired);
        assert_eq!(members(&ada).await, 2);
    }
}

#[tokio::test]
async fn whoever_is_signed_in_as_somebody_else_is_told() {
    let world = World::start().await;
    let (ada, eve) = (world.tenant("ada").await, world.tenant("eve").await);
    world.user("bob@example.com").await;
    let cookie = world.anonymous().with("cookie", eve.cookie());
    let (known, new) = (invite(&ada, "bob@example.com").await, invite(&ada, "carol@example.com").await);
    let page = seen_by(&cookie, &format!("/invite/{known}")).await;
    assert!(page.text.contains("signed in as eve@example.com") && page.text.contains("Sign in as bob@example.com"), "{page}");
    assert!(page.text.contains("action=\"../api/auth/sign-in/email\"") && !page.text.contains("/accept\""), "nothing to accept: {page}");
    cookie.post(&format!("/api/invitations/{known}/accept"), &json!({})).await.refused(Code::EmailMismatch);

    let page = seen_by(&cookie, &format!("/invite/{new}")).await;
    assert!(page.text.contains("signed in as eve@example.com") && page.text.contains("carol@example.com has no account"), "{page}");
    let carol = submit_by(&cookie, &page, json!({"name": "Carol", "password": "correct horse"})).await.is(200);
    let carol = with_session(&world, &carol);
    assert_eq!(carol.get("/api/me").await.is(200).text_at("/user/email"), "carol@example.com");
}

#[tokio::test]
async fn no_other_site_presses_its_button() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let (known, new) = (invite(&ada, "bob@example.com").await, invite(&ada, "carol@example.com").await);
    let bob = world.anonymous().with("cookie", bob.cookie());
    let accept = seen_by(&bob, &format!("/invite/{known}")).await;
    let sign_in = seen_by(&world.anonymous(), &format!("/invite/{known}")).await;
    let make = seen_by(&world.anonymous(), &format!("/invite/{new}")).await;
    for (page, typed) in [
        (&accept, json!({})),
        (&sign_in, json!({"password": "correct horse"})),
        (&make, json!({"name": "Carol", "password": "correct horse"})),
    ] {
        for (header, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            submit_by(&bob.with(header, value), page, typed.clone()).await.refused(Code::Forbidden);
        }
    }
    assert_eq!(members(&ada).await, 1);
    submit_by(&bob.with("origin", "http://localhost:3000").with("sec-fetch-site", "same-origin"), &accept, json!({})).await.is(200);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_says_why() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let replaced = invite(&ada, "carol@example.com").await;
    let old = invite(&ada, "carol@example.com").await;
    let anyone = world.anonymous();
    for token in ["nonsense", "%3Cscript%3Ealert(1)%3C/script%3E", &"a".repeat(43), &replaced] {
        let page = seen_by(&anyone, &format!("/invite/{}", token.replace("C/s", "C%2Fs"))).await;
        assert!(page.text.contains("No such invitation") && !page.text.contains("alert(1)") && !page.text.contains("<form"), "{page}");
    }
    world.clock.advance(Duration::from_hours(7 * 24));
    let page = seen_by(&anyone, &format!("/invite/{old}")).await;
    assert!(page.text.contains("Invitation Expired") && !page.text.contains("carol@example.com") && !page.text.contains("<form"), "{page}");
}

#[tokio::test]
async fn a_login_with_others_comes_back_to_it() {
    let provider = Provider::start(0).await;
    let world = World::with_logins(&provider, |_| {}).await;
    let ada = world.tenant("ada").await;
    world.user("bob@example.com").await;
    let token = invite(&ada, "bob@example.com").await;
    let page = seen_by(&world.anonymous(), &format!("/invite/{token}")).await;
    for name in ["google", "github"] {
        let path = format!("api/auth/sign-in/social/{name}?redirectTo=/invite/{token}");
        assert!(page.text.contains(&format!("href=\"../{path}\"")), "{page}");
        world.anonymous().get(&format!("/{path}")).await.is(302);
    }
}
