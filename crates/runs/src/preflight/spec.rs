//! The frozen result: tools, prompt, limits, packages and the record's first values.

use std::time::Duration;

use agent::prompt::{Fields, MemoryText, PromptInput, ProviderText, SkillText, ToolText, assemble};
use agent::tools::{DeclaredTool, ToolInput, tool_specs};
use domain::RunId;
use serde_json::Value;
use store::{AppScope, NewRun, Store};
use wire::run_spec::{Egress, LockedPackage, MemoryEntry, ModelSpec, ProviderSpec, ProxySpec, RunLimits, RunSpec, ToolSpec};

use super::load::{Loaded, Package};
use super::obstacle::Obstacle;
use super::{Limits, Request};

const DEFAULT_TIMEOUT: Duration = Duration::from_mins(5);

/// What the other steps have decided.
pub(super) struct Parts<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) input: Value,
    pub(super) config: Value,
    pub(super) model: Option<ModelSpec>,
    pub(super) proxy: Option<ProxySpec>,
    pub(super) providers: Vec<ProviderSpec>,
    pub(super) limits: &'a Limits,
}

/// Freezes the run. `None` when a part is missing, which an obstacle already says.
pub(super) fn freeze(
    store: &Store,
    scope: &AppScope,
    request: &Request,
    parts: Parts<'_>,
    obstacles: &mut Vec<Obstacle>,
) -> Option<NewRun> {
    let Parts { loaded, input, config, model, proxy, providers, limits } = parts;
    let tools = tools(loaded, &providers, obstacles)?;
    let model = model?;
    let timeout = timeout(loaded, limits);
    let egress = egress(&loaded.agent, obstacles);
    let prompt = prompt(loaded, &Written { input: &input, config: &config, providers: &providers, timeout, egress: &egress });
    let spec = RunSpec {
        run: RunId::new(store.ids()),
        org: scope.org(),
        app: scope.app(),
        end_user: scope.reach().end_user(),
        agent: loaded.agent.manifest.name().clone(),
        version: loaded.version.clone(),
        prompt,
        model,
        tools,
        providers,
        packages: loaded.dependencies.iter().filter_map(locked).collect(),
        output_schema: output_schema(&loaded.agent),
        memories: loaded
            .memories
            .iter()
            .map(|memory| MemoryEntry { key: memory.key.clone(), text: memory.text.clone(), own: memory.own })
            .collect(),
        egress,
        proxy,
        limits: RunLimits { timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX), ..RunLimits::default() },
    };
    Some(NewRun { spec, input, config, user: request.started_by.user, key: request.started_by.key })
}

/// The agent's own timeout, below the operator's ceiling.
fn timeout(loaded: &Loaded, limits: &Limits) -> Duration {
    let asked = loaded.agent.manifest.agent().and_then(afps::manifest::Agent::timeout).unwrap_or(DEFAULT_TIMEOUT);
    asked.min(Duration::from_secs(limits.platform.timeout_ceiling_seconds.get()))
}

/// `x-egress` of the manifest: `"providers"`, `"public"` or a list of hosts. Without it: public.
fn egress(agent: &Package, obstacles: &mut Vec<Obstacle>) -> Egress {
    match agent.manifest.raw().get("x-egress") {
        None => Egress::Public,
        Some(Value::String(policy)) if policy == "public" => Egress::Public,
        Some(Value::String(policy)) if policy == "providers" => Egress::Providers,
        Some(Value::Array(hosts)) if hosts.iter().all(Value::is_string) => {
            Egress::List { hosts: hosts.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect() }
        }
        Some(_) => {
            obstacles.push(Obstacle::new(
                "",
                "invalid_manifest",
                "the agent's x-egress must be \"public\", \"providers\" or a list of host names",
            ));
            Egress::Providers
        }
    }
}

fn output_schema(agent: &Package) -> Option<Value> {
    agent.manifest.agent().and_then(|agent| agent.output.as_ref()).map(|wrapper| wrapper.schema.clone())
}

fn tools(loaded: &Loaded, providers: &[ProviderSpec], obstacles: &mut Vec<Obstacle>) -> Option<Vec<ToolSpec>> {
    let declared: Vec<DeclaredTool> = loaded.tools().map(declared).collect();
    let schema = output_schema(&loaded.agent);
    match tool_specs(&ToolInput { output_schema: schema.as_ref(), declared: &declared, has_providers: !providers.is_empty() }) {
        Ok(tools) => Some(tools),
        Err(problems) => {
            obstacles.extend(problems.iter().map(|problem| Obstacle::new("", "invalid_tool", problem.to_string())));
            None
        }
    }
}

fn declared(package: &Package) -> DeclaredTool {
    let tool = package.manifest.tool().expect("a dependency under `tools` is a tool: checked when it was locked");
    DeclaredTool {
        package: package.manifest.name().clone(),
        name: tool.interface.name.clone(),
        description: tool.interface.description.clone(),
        parameters: tool.interface.input_schema.clone(),
        directory: package.directory(),
        entrypoint: tool.entrypoint.clone(),
    }
}

/// A package whose files stand in the workspace. The system tools are the loop's own and have none there.
fn locked(package: &Package) -> Option<LockedPackage> {
    if agent::tools::is_system_package(package.manifest.name()) {
        return None;
    }
    Some(LockedPackage {
        name: package.manifest.name().clone(),
        version: package.manifest.version().to_string(),
        integrity: package.integrity.clone(),
        directory: package.directory(),
    })
}

/// What enters the prompt besides what was loaded.
struct Written<'a> {
    input: &'a Value,
    config: &'a Value,
    providers: &'a [ProviderSpec],
    timeout: Duration,
    egress: &'a Egress,
}

fn prompt(loaded: &Loaded, written: &Written<'_>) -> wire::run_spec::Prompt {
    let agent = loaded.agent.manifest.agent();
    let tools: Vec<ToolText> = loaded
        .tools()
        .map(|package| {
            let interface = &declared(package);
            ToolText { name: interface.name.clone(), description: interface.description.clone(), guide: package.content.clone() }
        })
        .collect();
    let skills: Vec<SkillText> = loaded
        .skills()
        .map(|package| SkillText {
            package: package.manifest.name().clone(),
            description: package.skill_description.clone().unwrap_or_default(),
        })
        .collect();
    let providers: Vec<ProviderText> = written.providers.iter().filter_map(|spec| provider_text(loaded, spec)).collect();
    let memories: Vec<MemoryText> = loaded
        .memories
        .iter()
        .map(|memory| MemoryText { key: memory.key.clone(), text: memory.text.clone(), updated_at: memory.updated_at })
        .collect();
    let order = |wrapper: Option<&afps::manifest::SchemaWrapper>| wrapper.map_or_else(Vec::new, |wrapper| wrapper.property_order.clone());
    let (input_schema, config_schema) = (agent.and_then(|agent| agent.input.as_ref()), agent.and_then(|agent| agent.config.as_ref()));
    let (input_order, config_order) = (order(input_schema), order(config_schema));
    assemble(&PromptInput {
        timeout: written.timeout,
        egress: written.egress,
        tools: &tools,
        skills: &skills,
        providers: &providers,
        input: Fields { schema: input_schema.map(|wrapper| &wrapper.schema), order: &input_order, values: written.input },
        documents: &[],
        config: Fields { schema: config_schema.map(|wrapper| &wrapper.schema), order: &config_order, values: written.config },
        previous_state: loaded.previous_state.as_ref(),
        memories: &memories,
        prompt: loaded.agent.content.as_deref().unwrap_or_default(),
    })
}

fn provider_text(loaded: &Loaded, spec: &ProviderSpec) -> Option<ProviderText> {
    let package = loaded.dependency(&spec.id)?;
    let provider = package.manifest.provider()?;
    let properties = provider.definition.credentials.as_ref().and_then(|credentials| credentials.schema.get("properties"));
    let field_descriptions = spec
        .template_fields
        .iter()
        .filter_map(|field| Some((field.clone(), properties?.get(field)?.get("description")?.as_str()?.to_owned())))
        .collect();
    Some(ProviderText { spec: spec.clone(), has_guide: package.content.is_some(), docs_url: provider.docs_url.clone(), field_descriptions })
}
