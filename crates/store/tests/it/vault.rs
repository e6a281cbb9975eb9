//! Profiles, connections and data keys: each of exactly one owner, seen by whom the owner allows.

use afps::PackageType;
use domain::ConnectionId;
use store::{
    AppScope, Connection, ConnectionFilter, CredentialsChange, DataKeyOwner, Holder, InOrg, KeyCheck, NewConnection, NewDataKey,
    NewProfile, Page, StoreError, WriteContext, constraint,
};

use crate::catalog::{name, package, system_package};
use crate::world::World;

const PROVIDER: &str = "@appstrate/crm";

/// Connects the holder to [`PROVIDER`] through its default profile.
async fn connect<S: InOrg>(world: &World, scope: &S, holder: Holder) -> Result<Connection, StoreError> {
    connect_to(world, scope, holder, PROVIDER).await
}

/// Connects the holder to a provider through its default profile.
pub(crate) async fn connect_to<S: InOrg>(world: &World, scope: &S, holder: Holder, provider: &str) -> Result<Connection, StoreError> {
    let write = world.store.write(scope, WriteContext::internal()).await.unwrap();
    let profile = write.profiles().ensure_default(holder).await?;
    let new = NewConnection {
        id: ConnectionId::new(world.store.ids()),
        profile: profile.id,
        provider: name(provider),
        auth_mode: "api_key".to_owned(),
        sealed: vec![1],
        scopes: vec![],
        expires_at: None,
    };
    let made = write.connections().create(new).await?.expect("the provider and the profile are there");
    write.commit().await.unwrap();
    Ok(made)
}

async fn seen<S: InOrg>(world: &World, scope: &S) -> Vec<ConnectionId> {
    let read = world.store.read(scope).await.unwrap();
    let mut ids: Vec<_> =
        read.connections().list(&ConnectionFilter::default(), Page::FIRST).await.unwrap().items.into_iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}

async fn usable(world: &World, scope: &AppScope) -> Vec<ConnectionId> {
    let read = world.store.read(scope).await.unwrap();
    read.connections().usable(&name(PROVIDER)).await.unwrap().into_iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn each_reach_sees_its_own_connections_and_a_run_also_the_common_ones() {
    for unlocked in [false, true] {
        let change = |options: &mut store::Options| options.unlocked = if unlocked { vec!["profiles", "connections"] } else { vec![] };
        for world in World::each_with(change).await {
            if unlocked && world.engine == crate::world::Engine::Sqlite {
                continue;
            }
            let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
            system_package(&world, PROVIDER, PackageType::Provider).await;
            let ((ada, as_ada), (_, as_bob)) = (world.end_user(&acme, "ada").await, world.end_user(&acme, "bob").await);
            let as_owner = world.store.system().application_scope(&acme.org_scope, acme.app, &acme.session).await.unwrap().unwrap();

            let of_org = connect(&world, &acme.org_scope, Holder::Organization).await.unwrap().id;
            let of_app = connect(&world, &acme.scope, Holder::Application).await.unwrap().id;
            let of_owner = connect(&world, &as_owner, Holder::User(acme.owner)).await.unwrap().id;
            let of_ada = connect(&world, &as_ada, Holder::EndUser(ada)).await.unwrap().id;

            assert_eq!(seen(&world, &acme.scope).await, [of_org, of_app, of_owner, of_ada]);
            assert_eq!(seen(&world, &acme.org_scope).await, [of_org]);
            assert_eq!(seen(&world, &as_owner).await, [of_org, of_app, of_owner]);
            assert_eq!(seen(&world, &as_ada).await, [of_ada]);
            assert_eq!(seen(&world, &as_bob).await, []);
            assert_eq!(seen(&world, &globex.scope).await, []);

            assert_eq!(usable(&world, &as_ada.for_run()).await, [of_ada, of_app, of_org]);
            assert_eq!(usable(&world, &as_bob.for_run()).await, [of_app, of_org]);
            assert_eq!(usable(&world, &as_owner.for_run()).await, [of_owner, of_app, of_org]);
            assert_eq!(usable(&world, &acme.scope.for_run()).await, [of_app, of_org], "nobody's own is borrowed");

            // Seeing is not changing.
            let write = world.store.write(&as_bob.for_run(), WriteContext::internal()).await.unwrap();
            for foreign in [of_org, of_app, of_owner, of_ada] {
                assert!(!write.connections().delete(foreign).await.unwrap());
                assert!(!write.connections().needs_reconnection(foreign).await.unwrap());
            }
            drop(write);
            let write = world.store.write(&as_owner, WriteContext::internal()).await.unwrap();
            assert!(!write.connections().delete(of_ada).await.unwrap() && !write.connections().delete(of_org).await.unwrap());
        }
    }
}

#[tokio::test]
async fn nobody_connects_for_an_owner_outside_its_reach() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        system_package(&world, PROVIDER, PackageType::Provider).await;
        let ((_, as_ada), (bob, _)) = (world.end_user(&acme, "ada").await, world.end_user(&acme, "bob").await);
        let as_owner = world.store.system().application_scope(&acme.org_scope, acme.app, &acme.session).await.unwrap().unwrap();
        let refusals = [
            connect(&world, &as_ada, Holder::EndUser(bob)).await,
            connect(&world, &as_ada, Holder::Application).await,
            connect(&world, &as_ada, Holder::Organization).await,
            connect(&world, &as_owner, Holder::EndUser(bob)).await,
            connect(&world, &as_owner, Holder::Organization).await,
            connect(&world, &acme.scope, Holder::Organization).await,
            connect(&world, &acme.org_scope, Holder::Application).await,
        ];
        for refusal in refusals {
            assert!(matches!(refusal, Err(StoreError::OutOfReach)), "{refusal:?}");
        }
    }
}

#[tokio::test]
async fn a_profile_holds_one_connection_for_a_provider_whose_credentials_can_be_replaced() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        system_package(&world, PROVIDER, PackageType::Provider).await;
        let made = connect(&world, &acme.scope, Holder::Application).await.unwrap();
        let again = connect(&world, &acme.scope, Holder::Application).await.unwrap_err();
        assert!(again.is_conflict(constraint::CONNECTION), "{again:?}");

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.connections().needs_reconnection(made.id).await.unwrap());
        assert!(write.connections().get(made.id).await.unwrap().unwrap().needs_reconnection);
        let change = CredentialsChange { sealed: vec![2], scopes: vec!["read".to_owned()], expires_at: None };
        let changed = write.connections().replace_credentials(made.id, change).await.unwrap().unwrap();
        assert_eq!((changed.needs_reconnection, changed.scopes), (false, vec!["read".to_owned()]));
        assert_eq!(write.connections().sealed(made.id).await.unwrap(), Some(vec![2]));
        let second = NewProfile { holder: Holder::Application, name: "Second".to_owned(), is_default: true };
        let refused = write.profiles().create(second).await.unwrap_err();
        assert!(refused.is_conflict(constraint::DEFAULT_PROFILE), "{refused:?}");
    }
}

#[tokio::test]
async fn an_end_user_takes_its_connections_and_its_data_key_along() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        system_package(&world, PROVIDER, PackageType::Provider).await;
        let (ada, as_ada) = world.end_user(&acme, "ada").await;
        let of_ada = connect(&world, &as_ada, Holder::EndUser(ada)).await.unwrap();
        let system = world.store.system();
        let owner = DataKeyOwner::end_user(&as_ada, ada);
        let new = |id: &str| NewDataKey { id: id.to_owned(), master_key: "m1".to_owned(), sealed: vec![7] };
        assert_eq!(system.data_key(&owner).await.unwrap(), None);
        let stored = system.ensure_data_key(&owner, new("first")).await.unwrap();
        assert_eq!(system.ensure_data_key(&owner, new("second")).await.unwrap(), stored, "the first one counts");
        assert_eq!(system.data_key_by_id("first").await.unwrap(), Some(stored));
        let of_app = system.ensure_data_key(&DataKeyOwner::application(&acme.scope), new("app")).await.unwrap();

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(ada).await.unwrap());
        write.commit().await.unwrap();
        assert!(!seen(&world, &acme.scope).await.contains(&of_ada.id));
        assert_eq!(system.data_key(&owner).await.unwrap(), None);
        assert_eq!(system.data_key_by_id("app").await.unwrap(), Some(of_app));
        assert!(matches!(system.ensure_data_key(&owner, new("late")).await, Err(StoreError::Reference { .. })));
    }
}

#[tokio::test]
async fn one_key_check_stands_for_each_master_key() {
    for world in World::each().await {
        let system = world.store.system();
        for sealed in [vec![1], vec![2]] {
            system.put_key_check(KeyCheck { master_key: "m1".to_owned(), sealed }).await.unwrap();
        }
        assert_eq!(system.key_checks().await.unwrap(), [KeyCheck { master_key: "m1".to_owned(), sealed: vec![1] }]);
    }
}

#[tokio::test]
async fn an_organization_can_go_with_everything_in_it() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        system_package(&world, PROVIDER, PackageType::Provider).await;
        package(&world, &acme, "@acme/crm", PackageType::Provider).await;
        let (ada, as_ada) = world.end_user(&acme, "ada").await;
        connect(&world, &as_ada, Holder::EndUser(ada)).await.unwrap();
        connect_to(&world, &acme.org_scope, Holder::Organization, "@acme/crm").await.unwrap();

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.delete_organization().await.unwrap(), store::OrganizationDeletion::Done);
        write.commit().await.unwrap();
        assert!(world.store.system().key_by_hash(&crate::world::hash("acme"), None).await.unwrap().is_none());
        assert_eq!(seen(&world, &acme.scope).await, []);
    }
}
