//! `## System`: who the agent is, and where it works.

use wire::run_spec::Egress;

use super::{PromptInput, data};

pub(super) fn identity() -> String {
    format!(
        "## System\n\nYou are an AI agent on the Appstrate platform. You have one task: the one at the end of these instructions. \
         Nobody is there to answer questions, so decide yourself and finish it. You work in an isolated, ephemeral container.\n\n{}",
        data::NOTE
    )
}

pub(super) fn section(input: &PromptInput<'_>) -> String {
    let mut lines = vec![
        "### Environment".to_owned(),
        String::new(),
        "- The container and all its files are gone when the run ends; what should last must be returned through your tools.".to_owned(),
        format!("- Network: {}", network(input.egress)),
        format!("- The run ends after {} seconds.", input.timeout.as_secs()),
        "- Your working directory is `/workspace`.".to_owned(),
    ];
    if !input.documents.is_empty() {
        lines.push("- The documents of this run are in `./documents/`.".to_owned());
    }
    if !input.providers.is_empty() {
        lines.push(
            "- Authenticated requests go through `provider_call` or `$SIDECAR_URL/proxy` only; see Authenticated Provider API.".to_owned(),
        );
    }
    lines.join("\n")
}

fn network(egress: &Egress) -> String {
    match egress {
        Egress::Public => "public HTTP and HTTPS hosts can be reached directly, without credentials.".to_owned(),
        Egress::Providers => "only the authorized URLs of the connected providers can be reached.".to_owned(),
        Egress::List { hosts } if hosts.is_empty() => "no host can be reached directly.".to_owned(),
        Egress::List { hosts } => {
            let hosts: Vec<_> = hosts.iter().map(|host| format!("`{host}`")).collect();
            format!("only these hosts can be reached directly, without credentials: {}.", hosts.join(", "))
        }
    }
}
