//! Members come and go; an owner remains, and nothing that a member leaves behind opens a door.

use domain::{Role, UserId};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use store::{ApiKeyChange, NewApplication, Page, Store, WriteContext};

use crate::world::{Engine, Tenant, World, hash, new_key, new_user};

async fn joined(world: &World, tenant: &Tenant, email: &str, role: Role) -> UserId {
    let write = world.store.system().write(WriteContext::internal()).await.unwrap();
    let user = write.users().create(new_user(email)).await.unwrap();
    write.commit().await.unwrap();
    let write = world.store.write(&tenant.org_scope, WriteContext::internal()).await.unwrap();
    write.members().add(user.id, role).await.unwrap();
    write.commit().await.unwrap();
    user.id
}

#[tokio::test]
async fn members_are_found_by_id_and_by_email() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let carol = joined(&world, &acme, "carol@example.com", Role::Member).await;
        let read = world.store.read(&acme.org_scope).await.unwrap();
        let member = read.members().get(carol).await.unwrap().unwrap();
        assert_eq!((member.email.as_str(), member.role), ("carol@example.com", Role::Member));
        assert!(read.members().get(globex.owner).await.unwrap().is_none());
        assert!(read.members().has_email("carol@example.com").await.unwrap());
        assert!(!read.members().has_email("globex@example.com").await.unwrap());
        let listed: Vec<_> = read.members().list(Page::FIRST).await.unwrap().items.into_iter().map(|member| member.email).collect();
        assert_eq!(listed, ["carol@example.com", "acme@example.com"]);
    }
}

#[tokio::test]
async fn the_keys_of_a_user_are_revoked_in_every_application_of_the_organization_only() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let carol = joined(&world, &acme, "carol@example.com", Role::Admin).await;
        let write = world.store.write(&globex.org_scope, WriteContext::internal()).await.unwrap();
        write.members().add(carol, Role::Admin).await.unwrap();
        write.commit().await.unwrap();
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let new = NewApplication { name: "Second".to_owned(), settings: serde_json::Map::new(), created_by: acme.owner };
        let second = write.create_application(new).await.unwrap().id;
        write.commit().await.unwrap();
        let second = world.store.system().application_scope(&acme.org_scope, second, &acme.session).await.unwrap().unwrap();
        for (scope, secret) in [(&acme.scope, "one"), (&second, "two"), (&globex.scope, "elsewhere")] {
            let write = world.store.write(scope, WriteContext::internal()).await.unwrap();
            write.api_keys().create(new_key(secret, carol)).await.unwrap();
            write.commit().await.unwrap();
        }

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.revoke_keys_of(carol).await.unwrap(), 2);
        // The write is the organization's again.
        assert!(write.members().remove(carol).await.unwrap());
        write.members().add(carol, Role::Admin).await.unwrap();
        write.commit().await.unwrap();

        let system = world.store.system();
        for (secret, works) in [("one", false), ("two", false), ("elsewhere", true), ("acme", true)] {
            assert_eq!(system.key_by_hash(&hash(secret), None).await.unwrap().is_some(), works, "{secret}");
        }
    }
}

/// Removes `other`, unless it is the last owner.
async fn remove(store: &Store, tenant: store::OrgScope, other: UserId) -> bool {
    let write = store.write(&tenant, WriteContext::internal()).await.unwrap();
    if write.members().owners().await.unwrap() == [other] {
        return false;
    }
    let removed = write.members().remove(other).await.unwrap();
    write.commit().await.unwrap();
    removed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_owners_who_remove_each_other_leave_one() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for round in 0..10 {
            let carol = joined(&world, &acme, &format!("carol{round}@example.com"), Role::Owner).await;
            let (one, two) = (world.store.clone(), world.store.clone());
            let first = tokio::spawn({
                let (scope, owner) = (acme.org_scope, acme.owner);
                async move { remove(&one, scope, owner).await }
            });
            let second = tokio::spawn({
                let scope = acme.org_scope;
                async move { remove(&two, scope, carol).await }
            });
            let (first, second) = (first.await.unwrap(), second.await.unwrap());
            assert!(first != second, "exactly one removal: {first}, {second}");
            if first {
                let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
                write.members().add(acme.owner, Role::Owner).await.unwrap();
                assert!(write.members().remove(carol).await.unwrap());
                write.commit().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_changed_field_by_field_and_only_in_its_application() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let at = world.store.clock().now() + chrono::TimeDelta::days(1);
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let known = write.api_keys().get_to_change(acme.key).await.unwrap().unwrap();
        assert_eq!(write.api_keys().update(acme.key, ApiKeyChange::default()).await.unwrap(), Some(known));
        let change = ApiKeyChange { expires_at: Some(Some(at)), ..ApiKeyChange::default() };
        let changed = write.api_keys().update(acme.key, change).await.unwrap().unwrap();
        assert_eq!((changed.name.as_str(), changed.expires_at), ("key", Some(at)));
        let change = ApiKeyChange { name: Some("New".to_owned()), expires_at: Some(None), scopes: Some(vec![]) };
        let changed = write.api_keys().update(acme.key, change.clone()).await.unwrap().unwrap();
        assert_eq!((changed.name.as_str(), changed.expires_at, changed.scopes.len()), ("New", None, 0));
        assert!(write.api_keys().update(globex.key, change).await.unwrap().is_none());
    }
}

/// The users of a member who goes are seen by nobody in the organization from then on, also in the middle of a list.
#[tokio::test]
async fn a_member_who_goes_while_members_are_listed_is_there_or_not() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let acme = world.tenant("acme").await;
        let carol = joined(&world, &acme, "carol@example.com", Role::Member).await;
        let removal = world.raw().await.begin().await.unwrap();
        removal.execute_unprepared("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();
        removal.execute_unprepared(&format!("DELETE FROM members WHERE user_id = '{carol}'")).await.unwrap();
        let list = tokio::spawn({
            let (store, scope) = (world.store.clone(), acme.org_scope);
            async move { store.read(&scope).await?.members().list(Page::FIRST).await }
        });
        world.until_waiting(1).await;
        removal.commit().await.unwrap();
        let emails: Vec<_> = list.await.unwrap().unwrap().items.into_iter().map(|member| member.email).collect();
        assert!(emails.contains(&"acme@example.com".to_owned()), "{emails:?}");
    }
}
