//! What the vault hands to a run: the secrets of its frozen choices, or the reason why it cannot have them.

use std::sync::Arc;

use connect::vault::{MasterKey, MasterKeys, Where};
use connect::{SystemProxies, Vault, proxies};
use domain::{ModelId, ProviderKeyId, ProxyId, ProxyRef, RandomIds, UserId};
use runs::{CredentialError, CredentialSource as _, RunSecrets, VaultCredentials};
use store::{DataKeyOwner, ModelChange, NewModel, NewProviderKey, NewProxy, ProviderKeyChange, ProxyAddress, ProxyChange, WriteContext};
use wire::run_spec::{ModelProtocol, ProxySpec, RunSpec};

use crate::world::World;

/// A world with an organization's model and proxy, and a run that was accepted with both.
struct Scene {
    world: World,
    vault: Vault,
    source: Arc<VaultCredentials>,
    spec: RunSpec,
    model: ModelId,
    key: ProviderKeyId,
    proxy: ProxyId,
}

impl Scene {
    async fn each() -> Vec<Self> {
        let mut scenes = Vec::new();
        for world in World::each().await {
            scenes.push(Self::set(world).await);
        }
        scenes
    }

    async fn set(world: World) -> Self {
        let masters = MasterKeys::new(MasterKey::from_bytes("test", [7; 32]), Vec::new());
        let vault = Vault::open(world.store.clone(), masters).await.unwrap();
        let created_by: UserId = world.owner().await;
        let mut spec = world.new_run().spec;
        let org = world.scope.organization();
        let owner = DataKeyOwner::organization(&org);

        let (key, proxy) = (ProviderKeyId::new(&RandomIds), ProxyId::new(&RandomIds));
        let row = key.to_string();
        let place = Where { table: "provider_keys", column: "sealed", row: &row };
        let sealed_key = vault.seal(&owner, place, b"key-canary").await.unwrap();
        let sealed_proxy = vault.seal(&owner, proxies::place(&proxies::row(proxy)), b"http://ada:one@proxy.example.com").await.unwrap();
        let write = world.store.write(&org, WriteContext::internal()).await.unwrap();
        let base_url = spec.model.base_url.to_string();
        let protocol = ModelProtocol::OpenAiCompletions;
        let new = NewProviderKey { id: key, label: "Vendor".to_owned(), protocol, base_url, sealed: sealed_key, created_by };
        write.provider_keys().create(new).await.unwrap();
        let new = NewModel {
            label: spec.model.label.clone(),
            protocol,
            base_url: spec.model.base_url.to_string(),
            model: spec.model.model.clone(),
            provider_key: Some(key),
            context_window: 128_000,
            max_output_tokens: 4_096,
            reasoning: false,
            accepts_images: false,
            price: None,
            enabled: true,
            is_default: true,
            created_by,
        };
        let model = write.models().create(new).await.unwrap().id;
        let new = NewProxy { id: proxy, label: "Exit".to_owned(), shown: String::new(), sealed: sealed_proxy, created_by };
        write.proxies().create(new).await.unwrap();
        write.commit().await.unwrap();

        spec.model.id = Some(model);
        spec.proxy = Some(ProxySpec { id: ProxyRef::Own(proxy), label: "Exit".to_owned() });
        let source = VaultCredentials::new(world.store.clone(), vault.clone(), Arc::new(SystemProxies::default()));
        Self { world, vault, source, spec, model, key, proxy }
    }

    async fn opened(&self) -> Result<RunSecrets, CredentialError> {
        self.source.open(&self.world.scope, &self.spec).await
    }

    async fn gone(&self) -> String {
        match self.opened().await {
            Err(CredentialError::Gone(reason)) => reason,
            other => panic!("the secrets are gone: {other:?}"),
        }
    }

    async fn change_model(&self, base_url: &str) {
        let write = self.world.store.write(&self.world.scope.organization(), WriteContext::internal()).await.unwrap();
        let change = ModelChange { base_url: Some(base_url.to_owned()), ..ModelChange::default() };
        write.models().update(self.model, change).await.unwrap().unwrap();
        write.commit().await.unwrap();
    }

    async fn move_key(&self, base_url: &str) {
        let write = self.world.store.write(&self.world.scope.organization(), WriteContext::internal()).await.unwrap();
        let change = ProviderKeyChange { base_url: Some(base_url.to_owned()), ..ProviderKeyChange::default() };
        write.provider_keys().update(self.key, change).await.unwrap().unwrap();
        write.commit().await.unwrap();
    }

    async fn change_proxy(&self, change: ProxyChange) {
        let write = self.world.store.write(&self.world.scope.organization(), WriteContext::internal()).await.unwrap();
        write.proxies().update(self.proxy, change).await.unwrap().unwrap();
        write.commit().await.unwrap();
    }
}

#[tokio::test]
async fn key_and_proxy_are_opened_for_the_run_that_was_accepted_with_them() {
    for scene in Scene::each().await {
        let secrets = scene.opened().await.unwrap();
        assert_eq!(secrets.model_key.unwrap().expose(), "key-canary");
        assert_eq!(secrets.proxy_url.unwrap().expose(), "http://ada:one@proxy.example.com");

        let owner = DataKeyOwner::organization(&scene.world.scope.organization());
        let row = proxies::row(scene.proxy);
        let sealed = scene.vault.seal(&owner, proxies::place(&row), b"http://ada:two@proxy.example.com").await.unwrap();
        let address = Some(ProxyAddress { shown: String::new(), sealed });
        scene.change_proxy(ProxyChange { address, ..ProxyChange::default() }).await;
        let secrets = scene.opened().await.unwrap();
        assert_eq!(secrets.proxy_url.unwrap().expose(), "http://ada:two@proxy.example.com", "the password was changed meanwhile");
    }
}

#[tokio::test]
async fn a_key_never_goes_to_another_address_than_its_own() {
    for scene in Scene::each().await {
        let before = scene.spec.model.base_url.to_string();
        scene.change_model("https://elsewhere.example.com/v1").await;
        let reason = scene.gone().await;
        assert!(reason.contains("address of the model \"Scripted\" was changed"), "{reason}");
        scene.change_model(&before).await;
        assert!(scene.opened().await.is_ok());
        scene.move_key("https://elsewhere.example.com/v1").await;
        let reason = scene.gone().await;
        assert!(reason.contains("key of the model \"Scripted\" is for another address"), "{reason}");
        scene.move_key(&before).await;
        assert!(scene.opened().await.is_ok());
    }
}

#[tokio::test]
async fn a_proxy_that_is_gone_or_disabled_ends_the_run_and_is_never_left_aside() {
    for mut scene in Scene::each().await {
        scene.change_proxy(ProxyChange { enabled: Some(false), ..ProxyChange::default() }).await;
        assert!(scene.gone().await.contains("\"Exit\" was deleted or disabled"));
        scene.change_proxy(ProxyChange { enabled: Some(true), ..ProxyChange::default() }).await;
        assert!(scene.opened().await.is_ok());

        let write = scene.world.store.write(&scene.world.scope.organization(), WriteContext::internal()).await.unwrap();
        assert!(write.proxies().delete(scene.proxy).await.unwrap());
        write.commit().await.unwrap();
        assert!(scene.gone().await.contains("\"Exit\" was deleted or disabled"));
        scene.spec.proxy = Some(ProxySpec { id: "old-exit".parse().unwrap(), label: "Old exit".to_owned() });
        assert!(scene.gone().await.contains("no longer has the proxy \"Old exit\""));
        scene.spec.proxy = None;
        assert!(scene.opened().await.unwrap().proxy_url.is_none());
    }
}
