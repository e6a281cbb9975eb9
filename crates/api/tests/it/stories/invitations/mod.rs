mod page;

use std::time::Duration;

use domain::{Code, Role};
use serde_json::json;

use crate::world::{Actor, Tenant, World};

async fn invite(ada: &Tenant<'_>, email: &str) -> String {
    let created = ada.post(&format!("/api/orgs/{}/invitations", ada.org), &json!({"email": email})).await.is(201);
    let link = created.text_at("/link");
    link.strip_prefix("http://localhost:3000/invite/").unwrap().to_owned()
}

async fn accept(caller: &Actor<'_>, token: &str) -> crate::world::Reply {
    caller.post(&format!("/api/invitations/{token}/accept"), &json!({"name": "Carol", "password": "correct horse"})).await
}

#[tokio::test]
async fn a_new_user_comes_in_and_is_signed_in() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let token = invite(&ada, " Carol@Example.com ").await;
        let offer = world.anonymous().get(&format!("/api/invitations/{token}")).await.is(200);
        assert_eq!((offer.text_at("/email"), offer.at("/isNewUser")), ("carol@example.com".to_owned(), json!(true)));
        assert_eq!((offer.text_at("/orgName"), offer.text_at("/role")), ("ada's organization".to_owned(), "member".to_owned()));
        world.anonymous().post(&format!("/api/invitations/{token}/accept"), &json!({})).await.invalid_at("/name");
        world.anonymous().post(&format!("/api/invitations/{token}/accept"), &json!({"name": "Carol"})).await.invalid_at("/password");

        let accepted = accept(&world.anonymous(), &token).await.is(200);
        assert_eq!(accepted.at("/isNewUser"), true);
        let cookie = accepted.header("set-cookie").unwrap().split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
        let carol = world.anonymous().with_cookie(&cookie).with("x-org-id", ada.org.to_string());
        assert_eq!(carol.get(&format!("/api/orgs/{}", ada.org)).await.is(200).text_at("/role"), "member");
        accept(&world.anonymous(), &token).await.refused(Code::InvitationExpired);
        world.anonymous().get(&format!("/api/invitations/{token}")).await.refused(Code::InvitationExpired);
        let open = ada.get(&format!("/api/orgs/{}/invitations", ada.org)).await.is(200);
        assert_eq!(open.at("/pagination/total"), 0);
    }
}

#[tokio::test]
async fn an_account_is_joined_by_its_own_session_only() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let token = invite(&ada, "bob@example.com").await;
    let path = format!("/api/invitations/{token}/accept");
    assert_eq!(world.anonymous().get(&format!("/api/invitations/{token}")).await.is(200).at("/isNewUser"), false);
    // The original let anyone in who held the link.
    accept(&world.anonymous(), &token).await.refused(Code::Unauthorized);
    world.tenant("eve").await.post(&path, &json!({})).await.refused(Code::EmailMismatch);
    let joined = bob.post(&path, &json!({})).await.is(200);
    assert_eq!((joined.at("/isNewUser"), joined.header("set-cookie")), (json!(false), None));
    bob.instead("x-org-id", ada.org.to_string()).without("x-app-id").get(&format!("/api/orgs/{}", ada.org)).await.is(200);
    let again = ada.post(&format!("/api/orgs/{}/invitations", ada.org), &json!({"email": "bob@example.com"})).await;
    again.refused(Code::AlreadyMember);
}

#[tokio::test]
async fn a_link_dies_when_it_is_replaced_cancelled_or_old() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let (first, second) = (invite(&ada, "carol@example.com").await, invite(&ada, "carol@example.com").await);
    accept(&world.anonymous(), &first).await.refused(Code::NotFound);
    let list = ada.get(&format!("/api/orgs/{}/invitations", ada.org)).await.is(200);
    assert_eq!(list.at("/pagination/total"), 1);
    assert!(!list.text.contains(&second) && list.at("/data/0/link") == json!(null), "{list}");
    let path = format!("/api/orgs/{}/invitations/{}", ada.org, list.text_at("/data/0/id"));
    assert_eq!(ada.patch(&path, &json!({"role": "admin"})).await.is(200).text_at("/role"), "admin");
    ada.patch(&path, &json!({"role": "owner"})).await.invalid_at("/role");
    ada.delete(&path).await.is(204);
    ada.delete(&path).await.refused(Code::NotFound);
    accept(&world.anonymous(), &second).await.refused(Code::NotFound);

    let third = invite(&ada, "dan@example.com").await;
    world.clock.advance(Duration::from_hours(7 * 24));
    accept(&world.anonymous(), &third).await.refused(Code::InvitationExpired);
    for nonsense in ["x", &"a".repeat(43), "%00"] {
        world.anonymous().get(&format!("/api/invitations/{nonsense}")).await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn of_many_at_once_one_comes_in() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let token = invite(&ada, "carol@example.com").await;
        let anonymous = world.anonymous();
        let replies = futures::future::join_all((0..8).map(|_| accept(&anonymous, &token))).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "{replies:?}");
        assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 404 | 409 | 410)), "{replies:?}");
        let members = ada.get(&format!("/api/orgs/{}/members", ada.org)).await.is(200);
        assert_eq!(members.at("/pagination/total"), 2);
    }
}

#[tokio::test]
async fn where_there_is_mail_the_link_is_mailed_and_not_shown() {
    let world = World::with_mail().await;
    let ada = world.tenant("ada").await;
    let path = format!("/api/orgs/{}/invitations", ada.org);
    let created = ada.post(&path, &json!({"email": "carol@example.com", "role": "viewer"})).await.is(201);
    assert_eq!((created.at("/link"), created.text_at("/delivery")), (json!(null), "sending".to_owned()));
    let mails = world.mails().await;
    let mail = mails.iter().find(|mail| mail.to == "carol@example.com").unwrap();
    let token = mail.text.lines().find_map(|line| line.split_once("/invite/")).unwrap().1;
    assert_eq!(ada.get(&path).await.is(200).text_at("/data/0/delivery"), "sent");
    accept(&world.anonymous(), token).await.is(200);
    // No audit row tells the secret.
    assert!(ada.audit().await.iter().all(|row| !format!("{row:?}").contains(token)));
}

#[tokio::test]
async fn only_administrators_invite() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let path = format!("/api/orgs/{}/invitations", ada.org);
    let body = json!({"email": "carol@example.com"});
    for role in [Role::Member, Role::Viewer] {
        ada.member(role).await.post(&path, &body).await.refused(Code::Forbidden);
    }
    bob.post(&path, &body).await.refused(Code::NotFound);
    ada.full_key().await.post(&path, &body).await.refused(Code::Forbidden);
    for email in ["", "nobody", "a@b@c.de"] {
        ada.post(&path, &json!({"email": email})).await.invalid_at("/email");
    }
}

#[tokio::test]
async fn a_mailbox_is_not_flooded_by_whoever_may_invite() {
    for world in World::each_with_mail().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let path = |tenant: &Tenant<'_>| format!("/api/orgs/{}/invitations", tenant.org);
        let body = json!({"email": "Carol@example.com"});
        for tenant in [&ada, &bob, &ada] {
            tenant.post(&path(tenant), &body).await.is(201);
        }
        for tenant in [&bob, &ada] {
            let refused = tenant.post(&path(tenant), &body).await.refused(Code::TooManyAttempts);
            assert_eq!(refused.at("/retryAfter"), 60);
        }
        ada.post(&path(&ada), &json!({"email": "dan@example.com"})).await.is(201);
        assert_eq!(world.mails().await.iter().filter(|mail| mail.to == "carol@example.com").count(), 3);
        world.clock.advance(Duration::from_mins(1));
        bob.post(&path(&bob), &body).await.is(201);
    }
    // Who sends nothing floods nobody.
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for _ in 0..6 {
        invite(&ada, "carol@example.com").await;
    }
}

#[tokio::test]
async fn the_audit_log_keeps_no_address_of_somebody_invited() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let token = invite(&ada, "carol@example.com").await;
        let id = ada.get(&format!("/api/orgs/{}/invitations", ada.org)).await.text_at("/data/0/id");
        let path = format!("/api/orgs/{}/invitations/{id}", ada.org);
        ada.patch(&path, &json!({"role": "viewer"})).await.is(200);
        accept(&world.anonymous(), &token).await.is(200);
        invite(&ada, "dan@example.com").await;
        let other = ada.get(&format!("/api/orgs/{}/invitations", ada.org)).await.text_at("/data/0/id");
        ada.delete(&format!("/api/orgs/{}/invitations/{other}", ada.org)).await.is(204);
        let rows = ada.audit().await;
        assert_eq!(rows.iter().filter(|row| row.subject.as_deref() == Some(&id)).count(), 3, "made, changed and accepted: {rows:?}");
        let told = format!("{rows:?}");
        assert!(!told.contains("carol@example.com") && !told.contains("dan@example.com"), "{told}");
    }
}

/// The role that counts is the one at the moment of joining.
#[tokio::test]
async fn the_answer_tells_the_role_that_was_taken() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (id, token) = ada.invited("carol@example.com").await;
        let offer = auth::invitation::find_open(&world.store, &token).await.unwrap();
        assert_eq!(offer.role, Role::Viewer);
        ada.patch(&format!("/api/orgs/{}/invitations/{id}", ada.org), &json!({"role": "admin"})).await.is(200);
        let user = world.user("carol@example.com").await;
        let write = world.store.system().write(store::WriteContext::internal()).await.unwrap();
        let invitee = auth::invitation::Invitee::Known(user);
        let origin = auth::sign_in::Origin::default();
        let joined = auth::invitation::accept(&world.store, &write, &token, invitee, origin).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(joined.role, Role::Admin);
    }
}
