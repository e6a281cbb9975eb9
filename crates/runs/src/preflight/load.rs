//! Reads what a run needs, in one read unit of the caller's scope: nothing here sees more than the caller may.

use std::collections::BTreeMap;

use afps::{Candidate, Lockfile, Manifest, PackageType, Version};
use connect::Vault;
use connect::credentials;
use connect::vault::Where;
use domain::{ConnectionId, ModelId, PackageName, ProxyChoice, Timestamp, VersionId};
use serde_json::{Map, Value};
use store::{AppScope, Connection, DataKeyOwner, Holder, Installation, Model, PackageVersion, Read};
use url::Url;

use super::obstacle::Obstacle;
use super::providers::own_origin;
use super::proxy::{self, ProxySource};
use super::{Choice, Limits, PreflightError, Request, Sources};

/// A package as it will run.
pub(super) struct Package {
    pub(super) manifest: Manifest,
    pub(super) content: Option<String>,
    /// Of the archive; empty for an inline agent, which has none.
    pub(super) integrity: String,
    pub(super) skill_description: Option<String>,
}

impl Package {
    /// Where the files stand below `/workspace`.
    pub(super) fn directory(&self) -> String {
        let kind = match self.manifest.package_type() {
            PackageType::Tool => "tools",
            PackageType::Skill => "skills",
            PackageType::Provider => "providers",
            PackageType::Agent => "agents",
        };
        format!(".pi/{kind}/{}", self.manifest.name())
    }
}

/// A connection that serves a provider.
pub(super) struct Connected {
    pub(super) id: ConnectionId,
    pub(super) needs_reconnection: bool,
    /// Names of the stored fields.
    pub(super) fields: Vec<String>,
    pub(super) own_origin: Option<Url>,
}

/// The model that was found, or why there is none.
pub(super) enum ModelSource {
    Found(Box<Model>),
    /// One was named and is not there.
    Missing,
    /// None was named and the organization has no default.
    None,
}

/// A memory that the run sees.
pub(super) struct Remembered {
    pub(super) key: Option<String>,
    pub(super) text: String,
    pub(super) own: bool,
    pub(super) updated_at: Timestamp,
}

/// Everything that was read.
pub(super) struct Loaded {
    pub(super) agent: Package,
    /// `None`: inline.
    pub(super) version: Option<String>,
    /// Direct and transitive, in the order of their names.
    pub(super) dependencies: Vec<Package>,
    pub(super) config: Map<String, Value>,
    pub(super) model: ModelSource,
    pub(super) proxy: ProxySource,
    /// The connection of each direct provider that has one.
    pub(super) connections: BTreeMap<PackageName, Connected>,
    pub(super) previous_state: Option<Value>,
    /// Oldest first.
    pub(super) memories: Vec<Remembered>,
}

impl Loaded {
    pub(super) fn dependency(&self, name: &PackageName) -> Option<&Package> {
        self.dependencies.iter().find(|package| package.manifest.name() == name)
    }

    /// The tools that the agent itself declares.
    pub(super) fn tools(&self) -> impl Iterator<Item = &Package> {
        self.agent.manifest.dependencies().tools.keys().filter_map(|name| self.dependency(name))
    }

    /// Every skill, also those that a skill brings along.
    pub(super) fn skills(&self) -> impl Iterator<Item = &Package> {
        self.dependencies.iter().filter(|package| package.manifest.package_type() == PackageType::Skill)
    }
}

struct Chosen {
    agent: Package,
    version: Option<String>,
    config: Map<String, Value>,
    lockfile: Lockfile,
    /// The application's overrides.
    model: Option<String>,
    proxy: Option<ProxyChoice>,
}

pub(super) async fn load(
    sources: Sources<'_>,
    scope: &AppScope,
    request: &Request,
    limits: &Limits,
    obstacles: &mut Vec<Obstacle>,
) -> Result<Loaded, PreflightError> {
    let seen = scope.for_run();
    let read = sources.store.read(&seen).await?;
    let chosen = match &request.choice {
        Choice::Installed { package, version } => installed(&read, package, version.as_deref()).await?,
        Choice::Inline { manifest, prompt, config } => inline(&read, manifest, prompt, config, limits).await?,
    };
    let dependencies = dependencies(&read, &chosen.lockfile).await?;
    let model = model(&read, request.model, chosen.model.as_deref()).await?;
    let proxy = proxy::find(&read, sources.proxies, request.proxy.as_ref(), chosen.proxy).await?;
    let name = chosen.agent.manifest.name();
    let previous_state = if chosen.version.is_some() { read.states().previous(name).await? } else { None };
    let memories = if chosen.version.is_some() { read.memories().of_run(name).await? } else { Vec::new() };
    let mut usable = Vec::new();
    for provider in chosen.agent.manifest.dependencies().providers.keys() {
        if let Some(connection) = read.connections().usable(provider).await?.into_iter().next() {
            let sealed = read.connections().sealed(connection.id).await?;
            usable.push((provider.clone(), connection, sealed));
        }
    }
    // The vault may have to make a query of its own; the read unit is given back first.
    drop(read);
    let mut connections = BTreeMap::new();
    for (provider, connection, sealed) in usable {
        match connected(sources.vault, scope, &connection, sealed.as_deref()).await {
            Ok(found) => {
                connections.insert(provider, found);
            }
            Err(error) => {
                tracing::error!(connection.id = %connection.id, error = %error, "the connection {} cannot be opened", connection.id);
                obstacles.push(Obstacle::new(
                    "",
                    "connection_unreadable",
                    format!("the connection to {provider} cannot be opened; connect it again"),
                ));
            }
        }
    }
    Ok(Loaded {
        agent: chosen.agent,
        version: chosen.version,
        dependencies,
        config: chosen.config,
        model,
        proxy,
        connections,
        previous_state,
        memories: memories
            .into_iter()
            .map(|(memory, at)| Remembered { key: memory.key, text: memory.text, own: memory.own, updated_at: at })
            .collect(),
    })
}

/// The agent as the application has it installed.
async fn installed(read: &Read<AppScope>, name: &PackageName, asked: Option<&str>) -> Result<Chosen, PreflightError> {
    let not_found = || PreflightError::AgentNotFound(name.clone());
    let installation = read.installations().get(name).await?.filter(|installation| installation.enabled).ok_or_else(not_found)?;
    let package = read.packages().get(name).await?.filter(|package| package.package_type == PackageType::Agent).ok_or_else(not_found)?;
    let version = match asked {
        Some(asked) => resolve(read, name, asked).await?,
        None => pinned(read, &installation, package.latest_version).await?,
    };
    let version = version.ok_or_else(|| {
        let message = format!("{name} has no version {}", asked.unwrap_or("that is published"));
        PreflightError::NotReady(vec![Obstacle::new("/version", "version_not_found", message)])
    })?;
    Ok(Chosen {
        version: Some(version.version.to_string()),
        lockfile: version.lockfile.clone(),
        config: installation.config,
        model: installation.model,
        proxy: installation.proxy,
        agent: of_version(version)?,
    })
}

async fn pinned(
    read: &Read<AppScope>,
    installation: &Installation,
    latest: Option<VersionId>,
) -> Result<Option<PackageVersion>, PreflightError> {
    match installation.version.or(latest) {
        Some(id) => Ok(read.versions().get(id).await?),
        None => Ok(None),
    }
}

/// An exact version, the tag `latest`, or a range.
async fn resolve(read: &Read<AppScope>, name: &PackageName, asked: &str) -> Result<Option<PackageVersion>, PreflightError> {
    Ok(resolve_version(asked, read.versions().all_of(name).await?))
}

/// The version that an exact version, the tag `latest` or a range means.
pub fn resolve_version(asked: &str, versions: Vec<PackageVersion>) -> Option<PackageVersion> {
    let candidates: Vec<Candidate> = versions.iter().map(|known| Candidate { version: known.version.clone(), yanked: false }).collect();
    let latest = candidates.iter().map(|candidate| &candidate.version).filter(|version| !version.is_prerelease()).max().cloned();
    let tags: BTreeMap<String, Version> = latest.into_iter().map(|version| ("latest".to_owned(), version)).collect();
    let wanted = afps::range::resolve(asked, &candidates, &tags).cloned();
    versions.into_iter().find(|known| Some(&known.version) == wanted.as_ref())
}

/// An agent that stands in the request. Its dependencies are locked now.
async fn inline(
    read: &Read<AppScope>,
    manifest: &Value,
    prompt: &str,
    config: &Map<String, Value>,
    limits: &Limits,
) -> Result<Chosen, PreflightError> {
    let mut problems = Vec::new();
    let bytes = manifest.to_string();
    if bytes.len() > limits.inline.manifest_bytes as usize {
        problems.push(Obstacle::new("/manifest", "invalid_manifest", format!("may have at most {} bytes", limits.inline.manifest_bytes)));
    }
    if prompt.len() > limits.inline.prompt_bytes as usize {
        problems.push(Obstacle::new("/prompt", "invalid_prompt", format!("may have at most {} bytes", limits.inline.prompt_bytes)));
    }
    if !problems.is_empty() {
        return Err(PreflightError::NotReady(problems));
    }
    let manifest = match Manifest::from_value(manifest.clone()) {
        Ok(manifest) => manifest,
        Err(errors) => {
            let at = |error: &afps::ManifestError| {
                Obstacle::new(format!("/manifest{}", error.pointer), "invalid_manifest", error.message.clone())
            };
            return Err(PreflightError::NotReady(errors.as_slice().iter().map(at).collect()));
        }
    };
    let dependencies = manifest.dependencies();
    let mut too_many = |pointer: &str, count: usize, most: u32| {
        if count > most as usize {
            problems.push(Obstacle::new(pointer, "invalid_manifest", format!("an inline run may have at most {most}")));
        }
    };
    too_many("/manifest/dependencies/skills", dependencies.skills.len(), limits.inline.max_skills);
    too_many("/manifest/dependencies/tools", dependencies.tools.len(), limits.inline.max_tools);
    if manifest.package_type() != PackageType::Agent {
        problems.push(Obstacle::new("/manifest/type", "invalid_manifest", "must be an agent"));
    }
    let lockfile = match connect::catalogue::lock(read, &manifest).await {
        Ok(lockfile) => lockfile,
        Err(connect::catalogue::CatalogueError::Unresolved(missing)) => {
            problems
                .extend(missing.iter().map(|problem| Obstacle::new("/manifest/dependencies", "missing_dependency", problem.to_string())));
            Lockfile::default()
        }
        Err(connect::catalogue::CatalogueError::Store(error)) => return Err(error.into()),
        Err(other) => return Err(PreflightError::Damaged(other.to_string())),
    };
    if !problems.is_empty() {
        return Err(PreflightError::NotReady(problems));
    }
    let agent = Package { manifest, content: Some(prompt.to_owned()), integrity: String::new(), skill_description: None };
    Ok(Chosen { agent, version: None, config: config.clone(), lockfile, model: None, proxy: None })
}

async fn dependencies(read: &Read<AppScope>, lockfile: &Lockfile) -> Result<Vec<Package>, PreflightError> {
    let mut packages = Vec::with_capacity(lockfile.packages.len());
    for (name, locked) in &lockfile.packages {
        let version = read.versions().find(name, &locked.version).await?;
        let version = version.filter(|version| version.integrity == locked.integrity);
        let version =
            version.ok_or_else(|| PreflightError::Damaged(format!("{name} {} is locked but not there as it was", locked.version)))?;
        packages.push(of_version(version)?);
    }
    Ok(packages)
}

fn of_version(version: PackageVersion) -> Result<Package, PreflightError> {
    let manifest = Manifest::parse(version.manifest.as_bytes())
        .map_err(|error| PreflightError::Damaged(format!("{} {}: {error}", version.package, version.version)))?;
    let skill_description = match (manifest.package_type(), &version.content) {
        (PackageType::Skill, Some(text)) => afps::Frontmatter::parse(text).ok().and_then(|frontmatter| frontmatter.description),
        _ => None,
    };
    Ok(Package { manifest, content: version.content, integrity: version.integrity.to_string(), skill_description })
}

/// The request's model, else the application's, else the organization's default.
async fn model(read: &Read<AppScope>, requested: Option<ModelId>, overridden: Option<&str>) -> Result<ModelSource, PreflightError> {
    let named = match (requested, overridden) {
        (Some(id), _) => Some(Some(id)),
        (None, Some(text)) => Some(text.parse::<ModelId>().ok()),
        (None, None) => None,
    };
    let found = match named {
        Some(Some(id)) => read.models().get(id).await?.map_or(ModelSource::Missing, |model| ModelSource::Found(Box::new(model))),
        Some(None) => ModelSource::Missing,
        None => read.models().default().await?.map_or(ModelSource::None, |model| ModelSource::Found(Box::new(model))),
    };
    Ok(found)
}

/// What may be known of a connection before the run: the names of its fields and the origin that it names.
async fn connected(
    vault: &Vault,
    scope: &AppScope,
    connection: &Connection,
    sealed: Option<&[u8]>,
) -> Result<Connected, connect::vault::VaultServiceError> {
    let fields = match sealed {
        Some(sealed) => {
            let row = connection.id.to_string();
            let place = Where { table: "connections", column: "sealed", row: &row };
            let opened = vault.unseal(&key_owner(scope, connection.holder), place, sealed).await?;
            credentials::from_bytes(&opened).ok_or(connect::vault::VaultError::Malformed)?
        }
        None => credentials::Fields::new(),
    };
    let own_origin = own_origin(fields.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())));
    Ok(Connected { id: connection.id, needs_reconnection: connection.needs_reconnection, fields: fields.into_keys().collect(), own_origin })
}

/// Whose data key seals a holder's connections. A member's are sealed with the application's.
pub fn key_owner(scope: &AppScope, holder: Holder) -> DataKeyOwner {
    match holder {
        Holder::EndUser(id) => DataKeyOwner::end_user(scope, id),
        Holder::User(_) | Holder::Application => DataKeyOwner::application(scope),
        Holder::Organization => DataKeyOwner::organization(&scope.organization()),
    }
}
