//! Credentials mint scopes, and stop doing so at once.

use std::time::Duration;

use domain::{EndUserId, Role};
use store::{
    ApplicationDeletion, EndUserChange, EndUserFilter, NewApiKey, NewApplication, NewEndUser, Page, StoreError, WriteContext, constraint,
};

use crate::world::{World, hash, new_key, new_user};

#[tokio::test]
async fn a_new_organization_has_its_owner_and_one_default_application() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let organizations = world.store.system().organizations_of(&acme.session, Page::FIRST).await.unwrap();
        assert_eq!((organizations.items.len(), organizations.total), (1, 1));
        assert_eq!((organizations.items[0].0.slug.as_str(), organizations.items[0].1), ("acme", Role::Owner));
        let read = world.store.read(&acme.org_scope).await.unwrap();
        let applications = read.applications().list(Page::FIRST).await.unwrap();
        assert_eq!(applications.total, 1);
        assert!(applications.items[0].is_default);
        let members = read.members().list(Page::FIRST).await.unwrap();
        assert_eq!(members.items[0].email, "acme@example.com");
        assert_eq!(acme.login.pinned_version.as_deref(), Some("2026-03-21"));
        drop(read);

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.delete_application(acme.app).await.unwrap(), ApplicationDeletion::IsDefault);
        let new = NewApplication { name: "Second".to_owned(), settings: serde_json::Map::new(), created_by: acme.owner };
        let second = write.create_application(new).await.unwrap();
        assert_eq!(write.delete_application(second.id).await.unwrap(), ApplicationDeletion::Done);
        assert_eq!(write.delete_application(second.id).await.unwrap(), ApplicationDeletion::Missing);
    }
}

#[tokio::test]
async fn collisions_name_their_index_on_both_engines() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        world.tenant("globex").await;
        world.end_user(&acme, "ada").await;

        let write = world.store.system().write(WriteContext::internal()).await.unwrap();
        let error = write.users().create(new_user("acme@example.com")).await.unwrap_err();
        assert!(error.is_conflict(constraint::USER_EMAIL), "{error:?}");
        drop(write);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let taken = NewEndUser { external_id: Some("ada".to_owned()), ..NewEndUser::default() };
        let error = write.end_users().create(taken).await.unwrap_err();
        assert!(error.is_conflict(constraint::END_USER_EXTERNAL_ID), "{error:?}");
        drop(write);

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let error = write.members().add(acme.owner, Role::Viewer).await.unwrap_err();
        assert!(error.is_conflict(constraint::MEMBER), "{error:?}");
        drop(write);

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let change = store::OrganizationChange { slug: Some("globex".to_owned()), ..Default::default() };
        let error = write.organization().update(change).await.unwrap_err();
        assert!(error.is_conflict(constraint::ORGANIZATION_SLUG), "{error:?}");
    }
}

#[tokio::test]
async fn a_key_ends_with_its_revocation_its_date_and_its_creators_membership() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let system = world.store.system();
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let soon = world.store.clock().now() + chrono::TimeDelta::seconds(10);
        write.api_keys().create(NewApiKey { expires_at: Some(soon), ..new_key("short", acme.owner) }).await.unwrap();
        write.api_keys().create(new_key("spare", acme.owner)).await.unwrap();
        write.commit().await.unwrap();

        assert!(system.key_by_hash(&hash("short"), None).await.unwrap().is_some());
        world.clock.advance(Duration::from_secs(10));
        assert!(system.key_by_hash(&hash("short"), None).await.unwrap().is_none(), "expired at its very moment");

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.api_keys().revoke(acme.key).await.unwrap());
        assert!(!write.api_keys().revoke(acme.key).await.unwrap(), "a second time there is nothing to revoke");
        write.commit().await.unwrap();
        assert!(system.key_by_hash(&hash("acme"), None).await.unwrap().is_none());

        assert!(system.key_by_hash(&hash("spare"), None).await.unwrap().is_some());
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert!(write.members().remove(acme.owner).await.unwrap());
        write.commit().await.unwrap();
        assert!(system.key_by_hash(&hash("spare"), None).await.unwrap().is_none());
        assert!(system.membership(&acme.session, acme.org).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_session_ends_with_its_date() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        assert_eq!(acme.session.user.id, acme.owner);
        world.clock.advance(Duration::from_hours(7 * 24));
        assert!(world.store.system().session_by_hash(&hash("session of acme")).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn scopes_are_not_minted_for_foreign_ids() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let (ada, _) = world.end_user(&acme, "ada").await;
        let system = world.store.system();
        for (key, end_user, is_there) in
            [(acme.key, ada, true), (globex.key, ada, false), (acme.key, EndUserId::new(world.store.ids()), false)]
        {
            let login = system.key_by_id(key, Some(end_user)).await.unwrap().unwrap();
            assert_eq!(login.end_user_scope().is_some(), is_there);
        }
        assert!(system.key_by_id(acme.key, None).await.unwrap().unwrap().end_user_scope().is_none());
        assert!(system.membership(&acme.session, globex.org).await.unwrap().is_none());
        assert!(system.application_scope(&acme.org_scope, globex.app, &acme.session).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_end_user_is_changed_field_by_field() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (ada, own) = world.end_user(&acme, "ada").await;
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let metadata = serde_json::Map::from_iter([("nul".to_owned(), "\u{0}".into()), ("plan".to_owned(), "pro".into())]);
        let change = EndUserChange { external_id: Some(None), metadata: Some(metadata.clone()), ..EndUserChange::default() };
        let changed = write.end_users().update(ada, change).await.unwrap().unwrap();
        write.commit().await.unwrap();
        assert_eq!((changed.external_id, changed.name.as_deref()), (None, Some("ada")));
        assert_eq!(changed.metadata, metadata);

        let read = world.store.read(&acme.scope).await.unwrap();
        let filter = EndUserFilter { external_id: Some("ada".to_owned()), email: None };
        assert_eq!(read.end_users().list(&filter, Page::FIRST).await.unwrap().total, 0);
        assert_eq!(read.end_users().list(&EndUserFilter::default(), Page { page: 2, size: 20 }).await.unwrap().items, vec![]);
        drop(read);

        let write = world.store.write(&own, WriteContext::internal()).await.unwrap();
        let error = write.end_users().create(NewEndUser::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::OutOfReach), "an end-user makes no other");
    }
}

#[tokio::test]
async fn lists_are_newest_first_with_the_id_to_break_a_tie() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let mut made = Vec::new();
        for name in ["a", "b", "c"] {
            made.push(world.end_user(&acme, name).await.0);
        }
        world.clock.advance(Duration::from_secs(1));
        made.push(world.end_user(&acme, "d").await.0);
        let read = world.store.read(&acme.scope).await.unwrap();
        let first = read.end_users().list(&EndUserFilter::default(), Page { page: 1, size: 2 }).await.unwrap();
        let second = read.end_users().list(&EndUserFilter::default(), Page { page: 2, size: 2 }).await.unwrap();
        let listed: Vec<_> = first.items.iter().chain(&second.items).map(|end_user| end_user.id).collect();
        made[..3].sort_unstable();
        made.reverse();
        assert_eq!((listed, first.total), (made, 4));
    }
}
