//! Outbound proxies: of one organization, and kept while something names them.

use afps::PackageType;
use domain::{ProxyChoice, ProxyId, ProxyRef};
use store::{InstallationChange, NewInstallation, NewProxy, Page, Proxy, ProxyAddress, ProxyChange, StoreError, WriteContext};

use crate::catalog::{name, package};
use crate::world::{Tenant, World};

pub(crate) async fn proxy(world: &World, tenant: &Tenant, label: &str) -> Proxy {
    let write = world.store.write(&tenant.org_scope, WriteContext::internal()).await.unwrap();
    let new = NewProxy {
        id: ProxyId::new(world.store.ids()),
        label: label.to_owned(),
        shown: format!("http://{label}.example.com:80"),
        sealed: vec![1, 2, 3],
        created_by: tenant.owner,
    };
    let proxy = write.proxies().create(new).await.unwrap();
    write.commit().await.unwrap();
    proxy
}

pub(crate) fn through(proxy: &Proxy) -> ProxyChoice {
    ProxyChoice::Through(ProxyRef::Own(proxy.id))
}

pub(crate) fn to(choice: Option<ProxyChoice>) -> InstallationChange {
    InstallationChange { proxy: Some(choice), ..Default::default() }
}

#[tokio::test]
async fn a_proxy_is_seen_in_its_organization_only() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let own = proxy(&world, &acme, "exit").await;

        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.proxies().list(Page::FIRST).await.unwrap().items, vec![own.clone()]);
        assert_eq!(read.proxies().sealed(own.id).await.unwrap(), Some(vec![1, 2, 3]));
        drop(read);
        let read = world.store.read(&globex.scope).await.unwrap();
        assert_eq!(read.proxies().list(Page::FIRST).await.unwrap().total, 0);
        assert_eq!(read.proxies().sealed(own.id).await.unwrap(), None);
        drop(read);

        let write = world.store.write(&globex.org_scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.proxies().update(own.id, ProxyChange::default()).await.unwrap(), None);
        assert!(!write.proxies().delete(own.id).await.unwrap());
        write.proxies().set_default(Some(&through(&own))).await.unwrap();
        let refused = write.commit().await.unwrap_err();
        assert!(matches!(refused, StoreError::Reference { .. }), "another organization's proxy: {refused:?}");

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        let address = ProxyAddress { shown: "socks5://new.example.com:1080".to_owned(), sealed: vec![4] };
        let change = ProxyChange { label: Some("renamed".to_owned()), address: Some(address), enabled: Some(false) };
        let changed = write.proxies().update(own.id, change).await.unwrap().unwrap();
        assert_eq!((changed.label.as_str(), changed.shown.as_str(), changed.enabled), ("renamed", "socks5://new.example.com:1080", false));
        assert_eq!(write.proxies().sealed(own.id).await.unwrap(), Some(vec![4]));
        write.commit().await.unwrap();
    }
}

#[tokio::test]
async fn the_default_is_a_row_a_name_or_nothing_and_a_row_stays_while_it_is_the_default() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let own = proxy(&world, &acme, "exit").await;
        for choice in [Some("eu-exit".parse().unwrap()), Some(ProxyChoice::Direct), None, Some(through(&own))] {
            let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
            write.proxies().set_default(choice.as_ref()).await.unwrap();
            write.commit().await.unwrap();
            assert_eq!(world.store.read(&acme.scope).await.unwrap().proxies().default().await.unwrap(), choice);
            assert_eq!(world.store.read(&globex.scope).await.unwrap().proxies().default().await.unwrap(), None);
        }
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert!(matches!(write.proxies().delete(own.id).await, Err(StoreError::InUse)));
        write.proxies().set_default(None).await.unwrap();
        assert!(write.proxies().delete(own.id).await.unwrap());
        assert!(!write.proxies().delete(own.id).await.unwrap());
        write.commit().await.unwrap();
    }
}

#[tokio::test]
async fn an_installation_holds_the_proxy_that_it_names() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let (own, foreign) = (proxy(&world, &acme, "exit").await, proxy(&world, &globex, "foreign").await);
        package(&world, &acme, "@acme/triage", PackageType::Agent).await;
        let triage = name("@acme/triage");

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        let installed = write.installations().create(NewInstallation::of(triage.clone())).await.unwrap().unwrap();
        assert_eq!(installed.proxy, None);
        for choice in [Some(ProxyChoice::Direct), Some("eu-exit".parse().unwrap()), Some(through(&own))] {
            let changed = write.installations().update(&triage, to(choice.clone())).await.unwrap().unwrap();
            assert_eq!(changed.proxy, choice);
        }
        let unchanged = write.installations().update(&triage, InstallationChange::default()).await.unwrap().unwrap();
        assert_eq!(unchanged.proxy, Some(through(&own)), "an update of other fields leaves it");
        write.commit().await.unwrap();

        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert!(matches!(write.proxies().delete(own.id).await, Err(StoreError::InUse)));
        drop(write);

        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        write.installations().update(&triage, to(Some(through(&foreign)))).await.unwrap();
        let refused = write.commit().await.unwrap_err();
        assert!(matches!(refused, StoreError::Reference { .. }), "another organization's proxy: {refused:?}");

        // Uninstalling lets go of it, and so does another choice.
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.installations().delete(&triage).await.unwrap());
        write.installations().create(NewInstallation::of(triage.clone())).await.unwrap().unwrap();
        write.installations().update(&triage, to(Some(through(&own)))).await.unwrap();
        write.installations().update(&triage, to(None)).await.unwrap();
        write.commit().await.unwrap();
        let write = world.store.write(&acme.org_scope, WriteContext::internal()).await.unwrap();
        assert!(write.proxies().delete(own.id).await.unwrap());
        write.commit().await.unwrap();
    }
}
