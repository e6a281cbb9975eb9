//! Packages, installations, models and provider keys: of one organization, with the platform's readable by all.

use afps::{Integrity, Lockfile, PackageType, Version};
use domain::{PackageName, ProviderKeyId};
use store::{
    BlobKey, InstallationChange, ModelChange, NewInstallation, NewModel, NewPackage, NewPackageVersion, NewProviderKey, Package,
    PackageFilter, PackageVersion, Page, StoreError, WriteContext, constraint,
};
use wire::run_spec::{ModelProtocol, Price};

use crate::world::{Tenant, World};

pub(crate) fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

pub(crate) fn new_package(package: &str, package_type: PackageType) -> NewPackage {
    NewPackage { name: name(package), package_type, created_by: None }
}

fn new_version(package: &str, version: Version) -> NewPackageVersion {
    NewPackageVersion {
        package: name(package),
        version,
        integrity: Integrity::of(b"archive"),
        size_bytes: 7,
        manifest: "{}".to_owned(),
        content: Some("Be helpful.".to_owned()),
        blob: BlobKey::of(b"archive"),
        lockfile: Lockfile::default(),
        created_by: None,
    }
}

/// A package with version 1.0.0.
pub(crate) async fn package(world: &World, tenant: &Tenant, package: &str, package_type: PackageType) -> (Package, PackageVersion) {
    let write = world.store.write(&tenant.org_scope, WriteContext::internal()).await.unwrap();
    let made = write.packages().create(new_package(package, package_type)).await.unwrap();
    let version = write.versions().publish(new_version(package, Version::new(1, 0, 0))).await.unwrap();
    write.commit().await.unwrap();
    (made, version)
}

/// A package of the platform with version 1.0.0.
pub(crate) async fn system_package(world: &World, package: &str, package_type: PackageType) -> PackageVersion {
    let write = world.store.system().write(WriteContext::internal()).await.unwrap();
    write.ensure_system_package(new_package(package, package_type)).await.unwrap();
    let version = write.publish_system_version(new_version(package, Version::new(1, 0, 0))).await.unwrap();
    write.commit().await.unwrap();
    version
}

fn new_key(world: &World, tenant: &Tenant) -> NewProviderKey {
    NewProviderKey {
        id: ProviderKeyId::new(world.store.ids()),
        label: "key".to_owned(),
        protocol: ModelProtocol::OpenAiCompletions,
        base_url: "https://api.example.com/v1".to_owned(),
        sealed: vec![1, 2, 3],
        created_by: tenant.owner,
    }
}

fn new_model(tenant: &Tenant, label: &str, provider_key: Option<ProviderKeyId>) -> NewModel {
    NewModel {
        label: label.to_owned(),
        protocol: ModelProtocol::OpenAiCompletions,
        base_url: "https://api.example.com/v1".to_owned(),
        model: "m-1".to_owned(),
        provider_key,
        context_window: 128_000,
        max_output_tokens: 4_096,
        reasoning: false,
        accepts_images: true,
        price: Some(Price { input: 3.0, output: 15.0, ..Price::default() }),
        enabled: true,
        is_default: true,
        created_by: tenant.owner,
    }
}

#[tokio::test]
async fn packages_are_of_one_organization_or_of_all() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        system_package(&world, "@appstrate/log", PackageType::Tool).await;
        let (_, version) = package(&world, &acme, "@acme/triage", PackageType::Agent).await;

        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.packages().list(PackageFilter::default(), Page::FIRST).await.unwrap().total, 2);
        let own = PackageFilter { is_system: Some(false), package_type: Some(PackageType::Agent) };
        let listed = read.packages().list(own, Page::FIRST).await.unwrap().items;
        assert_eq!((listed[0].name.clone(), listed[0].latest_version), (name("@acme/triage"), Some(version.id)));
        assert_eq!(read.versions().find(&name("@acme/triage"), &Version::new(1, 0, 0)).await.unwrap(), Some(version.clone()));
        drop(read);

        let read = world.store.read(&globex.org_scope).await.unwrap();
        let seen = read.packages().list(PackageFilter::default(), Page::FIRST).await.unwrap().items;
        assert_eq!(seen.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["@appstrate/log"]);
        assert_eq!(read.versions().get(version.id).await.unwrap(), None);
        assert_eq!(read.versions().all_of(&name("@acme/triage")).await.unwrap(), vec![]);
        assert_eq!(read.versions().all_of(&name("@appstrate/log")).await.unwrap().len(), 1);
        drop(read);

        for foreign in ["@acme/triage", "@appstrate/log"] {
            let write = world.store.write(&globex.org_scope, WriteContext::internal()).await.unwrap();
            let refused = write.packages().create(new_package(foreign, PackageType::Agent)).await.unwrap_err();
            assert!(refused.is_conflict(constraint::PACKAGE_NAME), "{refused:?}");
            drop(write);
            let write = world.store.write(&globex.org_scope, WriteContext::internal()).await.unwrap();
            let refused = write.versions().publish(new_version(foreign, Version::new(2, 0, 0))).await.unwrap_err();
            assert!(matches!(refused, StoreError::OutOfReach), "{refused:?}");
        }
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let refused = write.versions().publish(new_version("@acme/triage", Version::new(1, 0, 0))).await.unwrap_err();
        assert!(refused.is_conflict(constraint::PACKAGE_VERSION), "{refused:?}");
    }
}

#[tokio::test]
async fn an_application_installs_what_its_organization_sees() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        system_package(&world, "@appstrate/log", PackageType::Tool).await;
        let (_, version) = package(&world, &acme, "@acme/triage", PackageType::Agent).await;
        let (_, foreign) = package(&world, &globex, "@globex/other", PackageType::Agent).await;
        let (_, as_ada) = world.end_user(&acme, "ada").await;

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let installations = write.installations();
        assert_eq!(installations.create(NewInstallation::of(name("@globex/other"))).await.unwrap(), None);
        installations.create(NewInstallation::of(name("@appstrate/log"))).await.unwrap().unwrap();
        installations.create(NewInstallation::of(name("@acme/triage"))).await.unwrap().unwrap();
        let change = InstallationChange { version: Some(Some(version.id)), model: Some(Some("mod_x".to_owned())), ..Default::default() };
        let changed = installations.update(&name("@acme/triage"), change).await.unwrap().unwrap();
        assert_eq!((changed.version, changed.enabled), (Some(version.id), true));
        write.commit().await.unwrap();

        let read = world.store.read(&as_ada).await.unwrap();
        assert_eq!(read.installations().list(Some(PackageType::Agent), Page::FIRST).await.unwrap().items, vec![changed]);
        assert_eq!(read.installations().list(None, Page::FIRST).await.unwrap().total, 2);
        drop(read);
        let read = world.store.read(&globex.scope).await.unwrap();
        assert_eq!(read.installations().list(None, Page::FIRST).await.unwrap().total, 0);
        drop(read);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let again = write.installations().create(NewInstallation::of(name("@acme/triage"))).await.unwrap_err();
        assert!(again.is_conflict(constraint::INSTALLATION), "{again:?}");
        drop(write);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let change = InstallationChange { version: Some(Some(foreign.id)), ..Default::default() };
        write.installations().update(&name("@acme/triage"), change).await.unwrap();
        let refused = write.commit().await.unwrap_err();
        assert!(matches!(refused, StoreError::Reference { .. }), "a pin to another package's version: {refused:?}");
    }
}

#[tokio::test]
async fn models_have_one_default_and_keep_their_key_alive() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let key = write.provider_keys().create(new_key(&world, &acme)).await.unwrap();
        let first = write.models().create(new_model(&acme, "first", Some(key.id))).await.unwrap();
        let second = write.models().create(new_model(&acme, "second", None)).await.unwrap();
        assert_eq!(write.models().default().await.unwrap().unwrap().id, second.id);
        let change = ModelChange { is_default: Some(true), price: Some(None), ..Default::default() };
        let changed = write.models().update(first.id, change).await.unwrap().unwrap();
        assert_eq!((changed.price, changed.is_default, changed.provider_key), (None, true, Some(key.id)));
        write.commit().await.unwrap();

        let read = world.store.read(&globex.org_scope).await.unwrap();
        assert_eq!(read.models().list(Page::FIRST).await.unwrap().total, 0);
        assert_eq!(read.provider_keys().sealed(key.id).await.unwrap(), None);
        drop(read);
        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.models().default().await.unwrap().unwrap().id, first.id);
        assert_eq!(read.provider_keys().sealed(key.id).await.unwrap(), Some(vec![1, 2, 3]));
        drop(read);

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert!(matches!(write.provider_keys().delete(key.id).await, Err(StoreError::InUse)));
        assert!(write.models().delete(first.id).await.unwrap());
        assert!(write.provider_keys().delete(key.id).await.unwrap());
        write.commit().await.unwrap();

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let key = write.provider_keys().create(new_key(&world, &acme)).await.unwrap();
        write.commit().await.unwrap();
        let write = world.store.write(&globex.org_scope, WriteContext::internal()).await.unwrap();
        write.models().create(new_model(&globex, "borrowed", Some(key.id))).await.unwrap();
        let refused = write.commit().await.unwrap_err();
        assert!(matches!(refused, StoreError::Reference { .. }), "another organization's key: {refused:?}");
    }
}
