//! An invitation leads one person into one organization, once.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{Role, UserId};
use store::{Delivery, Invitation, NewInvitation, Page, StoreError, WriteContext, constraint};

use crate::world::{Tenant, World, hash, new_user};

async fn invite(world: &World, tenant: &Tenant, email: &str, token: &str) -> Invitation {
    let write = world.store.write(&tenant.org_scope, WriteContext::internal()).await.unwrap();
    let made = write.invitations().create(new(world, tenant, email, token)).await.unwrap();
    write.commit().await.unwrap();
    made
}

fn new(world: &World, tenant: &Tenant, email: &str, token: &str) -> NewInvitation {
    let expires_at = world.store.clock().now() + TimeDelta::days(7);
    let (email, token_hash) = (email.to_owned(), hash(token));
    NewInvitation { email, role: Role::Viewer, token_hash, delivery: Delivery::Link, invited_by: tenant.owner, expires_at }
}

async fn user(world: &World, email: &str) -> UserId {
    let write = world.store.system().write(WriteContext::internal()).await.unwrap();
    let user = write.users().create(new_user(email)).await.unwrap();
    write.commit().await.unwrap();
    user.id
}

/// Accepts for the user. `false`: too late.
async fn accept(store: &store::Store, token: &str, user: UserId) -> bool {
    let write = store.system().write(WriteContext::internal()).await.unwrap();
    let Some(claimed) = write.claim_invitation(&hash(token)).await.unwrap() else { return false };
    write.admit(&claimed, user).await.unwrap();
    write.commit().await.unwrap();
    true
}

#[tokio::test]
async fn an_invitation_tells_what_it_offers_until_it_is_accepted() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let made = invite(&world, &acme, "carol@example.com", "t1").await;
        let system = world.store.system();
        let offer = system.invitation_by_hash("platform", &hash("t1")).await.unwrap().unwrap();
        assert_eq!((offer.org, offer.org_name.as_str(), offer.email.as_str()), (acme.org, "acme", "carol@example.com"));
        assert_eq!((offer.role, offer.inviter_name.as_deref(), offer.is_open), (Role::Viewer, Some("Someone"), true));
        assert_eq!(offer.user, None);
        let carol = user(&world, "carol@example.com").await;
        assert_eq!(system.invitation_by_hash("platform", &hash("t1")).await.unwrap().unwrap().user, Some(carol));
        assert!(system.invitation_by_hash("platform", &hash("t2")).await.unwrap().is_none());

        let read = world.store.read(&globex.org_scope).await.unwrap();
        assert_eq!((read.invitations().get(made.id).await.unwrap(), read.invitations().list(Page::FIRST).await.unwrap().total), (None, 0));
        drop(read);
        let write = world.store.write(&globex.org_scope, WriteContext::internal()).await.unwrap();
        assert!(!write.invitations().cancel(made.id).await.unwrap());
        assert!(write.invitations().set_role(made.id, Role::Admin).await.unwrap().is_none());
        drop(write);

        assert!(accept(&world.store, "t1", carol).await);
        assert!(!accept(&world.store, "t1", carol).await, "once");
        let read = world.store.read(&acme.org_scope).await.unwrap();
        assert_eq!(read.role_of(carol).await.unwrap(), Some(Role::Viewer));
        assert_eq!(read.invitations().list(Page::FIRST).await.unwrap().items, []);
        assert!(!system.invitation_by_hash("platform", &hash("t1")).await.unwrap().unwrap().is_open);
    }
}

#[tokio::test]
async fn it_ends_with_its_date_with_a_newer_one_and_with_its_inviter() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let carol = user(&world, "carol@example.com").await;
        invite(&world, &acme, "carol@example.com", "old").await;
        let newer = invite(&world, &acme, "carol@example.com", "new").await;
        let system = world.store.system();
        assert!(system.invitation_by_hash("platform", &hash("old")).await.unwrap().is_none());
        assert!(!accept(&world.store, "old", carol).await);
        world.clock.advance(Duration::from_hours(7 * 24));
        assert!(!accept(&world.store, "new", carol).await, "expired at its very moment");
        let read = world.store.read(&acme.org_scope).await.unwrap();
        assert_eq!(read.invitations().list(Page::FIRST).await.unwrap().items, [newer], "an expired one is still shown");
        drop(read);

        invite(&world, &acme, "carol@example.com", "third").await;
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.invitations().cancel_of(acme.owner).await.unwrap(), 1);
        write.commit().await.unwrap();
        assert!(!accept(&world.store, "third", carol).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_exactly_one_is_let_in() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        invite(&world, &acme, "carol@example.com", "t").await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..6 {
            let (store, user) = (world.store.clone(), user(&world, &format!("carol{number}@example.com")).await);
            tasks.spawn(async move { accept(&store, "t", user).await });
        }
        let accepted = tasks.join_all().await.into_iter().filter(|accepted| *accepted).count();
        let members = world.store.read(&acme.org_scope).await.unwrap().members().list(Page::FIRST).await.unwrap().total;
        assert_eq!((accepted, members), (1, 2));
    }
}

#[tokio::test]
async fn two_inviters_at_the_same_moment_leave_one_open_invitation() {
    for world in World::each().await.into_iter().filter(|world| world.engine == crate::world::Engine::Postgres) {
        let acme = world.tenant("acme").await;
        let first = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let second = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        // The second one looks before the first is committed, so it replaces nothing.
        first.invitations().create(new(&world, &acme, "carol@example.com", "a")).await.unwrap();
        let (_, collided) = futures::join!(first.commit(), async {
            let invitations = second.invitations();
            invitations.create(new(&world, &acme, "carol@example.com", "b")).await
        });
        match collided {
            // It looked after the commit, and replaced the first.
            Ok(_) => second.commit().await.unwrap(),
            Err(error) => assert!(error.is_conflict(constraint::INVITATION_EMAIL), "{error:?}"),
        }
        let read = world.store.read(&acme.org_scope).await.unwrap();
        assert_eq!(read.invitations().list(Page::FIRST).await.unwrap().total, 1);
    }
}

#[tokio::test]
async fn an_owner_is_never_invited() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let owner = NewInvitation { role: Role::Owner, ..new(&world, &acme, "carol@example.com", "t") };
        let error = write.invitations().create(owner).await.unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
    }
}
