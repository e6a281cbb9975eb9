//! The secrets of a run, from the vault.

use std::sync::Arc;

use async_trait::async_trait;
use connect::outbound::is_same_origin;
use connect::vault::{VaultServiceError, Where};
use connect::{SystemProxies, Vault, credentials, proxies};
use domain::{BuiltInProxy, ProxyId, ProxyRef, Secret};
use store::{AppScope, DataKeyOwner, Read, Store, StoreError};
use url::Url;
use wire::control::Credentials;
use wire::run_spec::{ProviderSpec, ProxySpec, RunSpec};

use crate::credentials::{CredentialError, CredentialSource, RunSecrets};
use crate::preflight::key_owner;

/// Opens the credentials of a run's frozen connections and of its model.
#[derive(Clone, Debug)]
pub struct VaultCredentials {
    store: Store,
    vault: Vault,
    proxies: Arc<SystemProxies>,
}

/// What the store holds of one provider's credentials.
struct Sealed<'a> {
    provider: &'a ProviderSpec,
    owner: DataKeyOwner,
    bytes: Vec<u8>,
    definition: afps::manifest::Definition,
}

impl VaultCredentials {
    pub fn new(store: Store, vault: Vault, proxies: Arc<SystemProxies>) -> Arc<Self> {
        Arc::new(Self { store, vault, proxies })
    }

    /// The sealed address of a proxy of the organization's. One that is gone or disabled ends the run: it never goes out directly.
    async fn sealed_proxy(read: &Read<AppScope>, id: ProxyId, label: &str) -> Result<Vec<u8>, CredentialError> {
        let gone = || CredentialError::Gone(format!("the proxy \"{label}\" was deleted or disabled after the run was accepted"));
        read.proxies().get(id).await.map_err(unavailable)?.filter(|proxy| proxy.enabled).ok_or_else(gone)?;
        read.proxies().sealed(id).await.map_err(unavailable)?.ok_or_else(gone)
    }

    /// The address of one of the operator's.
    fn built_in_proxy(&self, name: &BuiltInProxy, label: &str) -> Result<Secret, CredentialError> {
        let gone = || CredentialError::Gone(format!("this server no longer has the proxy \"{label}\""));
        self.proxies.get(name).filter(|proxy| proxy.enabled).map(|proxy| proxy.url.clone()).ok_or_else(gone)
    }

    async fn sealed_model_key(read: &Read<AppScope>, spec: &RunSpec) -> Result<Option<(String, Vec<u8>)>, CredentialError> {
        let Some(id) = spec.model.id else { return Ok(None) };
        let gone = || CredentialError::Gone(format!("the model \"{}\" was deleted after the run was accepted", spec.model.label));
        let model = read.models().get(id).await.map_err(unavailable)?.ok_or_else(gone)?;
        let Some(key) = model.provider_key else { return Ok(None) };
        // The run calls the address that it was accepted with; a key that was chosen for another one must not go there.
        if !Url::parse(&model.base_url).is_ok_and(|url| url == spec.model.base_url) {
            let label = &spec.model.label;
            return Err(CredentialError::Gone(format!("the address of the model \"{label}\" was changed after the run was accepted")));
        }
        let stored = read.provider_keys().get(key).await.map_err(unavailable)?.ok_or_else(gone)?;
        // Nor does it go to another origin than its own, wherever its model leads.
        if !is_same_origin(&stored.base_url, spec.model.base_url.as_str()) {
            let label = &spec.model.label;
            return Err(CredentialError::Gone(format!(
                "the key of the model \"{label}\" is for another address; choose one for the model's own"
            )));
        }
        let sealed = read.provider_keys().sealed(key).await.map_err(unavailable)?.ok_or_else(gone)?;
        Ok(Some((key.to_string(), sealed)))
    }

    async fn sealed_credentials<'a>(
        read: &Read<AppScope>,
        scope: &AppScope,
        spec: &'a RunSpec,
    ) -> Result<Vec<Sealed<'a>>, CredentialError> {
        let mut all = Vec::with_capacity(spec.providers.len());
        for provider in &spec.providers {
            let gone = || CredentialError::Gone(format!("the connection to {} was removed after the run was accepted", provider.id));
            let connection = read.connections().get(provider.connection).await.map_err(unavailable)?.ok_or_else(gone)?;
            let bytes = read.connections().sealed(connection.id).await.map_err(unavailable)?.ok_or_else(gone)?;
            let definition = Self::definition(read, spec, provider).await?;
            all.push(Sealed { provider, owner: key_owner(scope, connection.holder), bytes, definition });
        }
        Ok(all)
    }

    /// The provider's definition in the version that the run is locked to.
    async fn definition(
        read: &Read<AppScope>,
        spec: &RunSpec,
        provider: &ProviderSpec,
    ) -> Result<afps::manifest::Definition, CredentialError> {
        let gone = || CredentialError::Gone(format!("the provider {} was removed after the run was accepted", provider.id));
        let locked = spec.packages.iter().find(|package| package.name == provider.id).ok_or_else(gone)?;
        let version = locked.version.parse::<afps::Version>().map_err(|error| CredentialError::Unavailable(Box::new(error)))?;
        let found = read.versions().find(&provider.id, &version).await.map_err(unavailable)?.ok_or_else(gone)?;
        let manifest = afps::Manifest::parse(found.manifest.as_bytes()).map_err(|error| CredentialError::Unavailable(Box::new(error)))?;
        manifest.provider().map(|provider| provider.definition.clone()).ok_or_else(gone)
    }
}

#[async_trait]
impl CredentialSource for VaultCredentials {
    async fn open(&self, scope: &AppScope, spec: &RunSpec) -> Result<RunSecrets, CredentialError> {
        let seen = scope.for_run();
        let read = self.store.read(&seen).await.map_err(unavailable)?;
        let model_key = Self::sealed_model_key(&read, spec).await?;
        let sealed = Self::sealed_credentials(&read, scope, spec).await?;
        let mut secrets = RunSecrets::default();
        let sealed_proxy = match &spec.proxy {
            Some(ProxySpec { id: ProxyRef::Own(id), label }) => Some((*id, Self::sealed_proxy(&read, *id, label).await?)),
            Some(ProxySpec { id: ProxyRef::BuiltIn(name), label }) => {
                secrets.proxy_url = Some(self.built_in_proxy(name, label)?);
                None
            }
            None => None,
        };
        drop(read);

        let organization = DataKeyOwner::organization(&scope.organization());
        if let Some((row, bytes)) = model_key {
            let place = Where { table: "provider_keys", column: "sealed", row: &row };
            secrets.model_key = Some(text(&self.vault.unseal(&organization, place, &bytes).await.map_err(of_vault)?)?);
        }
        if let Some((id, bytes)) = sealed_proxy {
            let row = proxies::row(id);
            secrets.proxy_url = Some(text(&self.vault.unseal(&organization, proxies::place(&row), &bytes).await.map_err(of_vault)?)?);
        }
        for Sealed { provider, owner, bytes, definition } in sealed {
            let row = provider.connection.to_string();
            let place = Where { table: "connections", column: "sealed", row: &row };
            let opened = self.vault.unseal(&owner, place, &bytes).await.map_err(of_vault)?;
            let fields = credentials::from_bytes(&opened).ok_or_else(|| of_vault(connect::vault::VaultError::Malformed.into()))?;
            secrets.credentials.push(Credentials { provider: provider.id.clone(), fields: credentials::for_run(&definition, fields) });
        }
        Ok(secrets)
    }
}

fn text(opened: &Secret<Vec<u8>>) -> Result<Secret, CredentialError> {
    let text = std::str::from_utf8(opened.expose()).map_err(|error| CredentialError::Unavailable(Box::new(error)))?;
    Ok(Secret::from(text))
}

fn unavailable(error: StoreError) -> CredentialError {
    CredentialError::Unavailable(Box::new(error))
}

fn of_vault(error: VaultServiceError) -> CredentialError {
    CredentialError::Unavailable(Box::new(error))
}
