//! Builders for unit tests.

use domain::{AppId, OrgId, RandomIds, RunId};
use serde_json::json;
use wire::run_spec::{Egress, ModelProtocol, ModelSpec, Prompt, RunLimits, RunSpec, ToolCarrier, ToolSpec};

pub(crate) fn spec() -> RunSpec {
    RunSpec {
        run: RunId::new(&RandomIds),
        org: OrgId::new(&RandomIds),
        app: AppId::new(&RandomIds),
        end_user: None,
        agent: "@acme/agent".parse().expect("name"),
        version: None,
        prompt: Prompt::default(),
        model: ModelSpec {
            id: None,
            label: "test".to_owned(),
            protocol: ModelProtocol::OpenAiCompletions,
            base_url: "http://127.0.0.1:1/v1".parse().expect("url"),
            model: "test".to_owned(),
            context_window: 100_000,
            max_output_tokens: 1_000,
            reasoning: false,
            accepts_images: false,
            price: None,
        },
        tools: Vec::new(),
        providers: Vec::new(),
        packages: Vec::new(),
        output_schema: None,
        memories: Vec::new(),
        egress: Egress::Public,
        proxy: None,
        limits: RunLimits::default(),
    }
}

pub(crate) fn package_tool(name: &str, package: &str, directory: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: String::new(),
        parameters: json!({}),
        carrier: ToolCarrier::Package {
            package: package.parse().expect("name"),
            directory: directory.to_owned(),
            entrypoint: "index.ts".to_owned(),
        },
    }
}
