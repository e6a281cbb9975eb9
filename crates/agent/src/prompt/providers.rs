//! `## Authenticated Provider API`: how to call connected services without ever seeing a credential.

use super::tools::one_line;
use super::{ProviderText, data};

const CONTRACT: &str = r#"## Authenticated Provider API

Use the tool `provider_call` to call a connected provider: give `provider`, `method`, `url` and, where needed, `headers` and `body`. The credential is added on the way. You never need it, and there is no way to read it; do not ask for it and do not write an authorization header yourself.

From a shell or script, the same is done over HTTP:

```bash
curl -sS "$SIDECAR_URL/proxy" -H "X-Provider: @scope/name" -H "X-Target: https://api.example.com/v1/items"
```

- Method, body and other headers are passed on as they are.
- Only the provider's authorized URLs are allowed; anything else is refused with 403.
- Through `/proxy`, a response is cut at 50,000 bytes and then has `X-Truncated: true`; ask for up to 1,000,000 with `X-Max-Response-Size`. `provider_call` stores a large body as a file instead.
- A request takes at most 30 seconds. Refusals and failures are JSON with `error`.
- Cookies that a provider sets are kept for this run and sent back to it."#;

const SLOTS: &str = "\n- Where a provider lists slots, write `{{name}}` in a header or in the URL and the value is filled in on the way.";

pub(super) fn section(providers: &[ProviderText]) -> Option<String> {
    if providers.is_empty() {
        return None;
    }
    let slots = if providers.iter().any(|provider| !provider.spec.template_fields.is_empty()) { SLOTS } else { "" };
    let list: Vec<_> = providers.iter().map(one).collect();
    Some(format!("{CONTRACT}{slots}\n\n### Connected Providers\n\n{}", data::block("providers", &list.join("\n"))))
}

fn one(provider: &ProviderText) -> String {
    let spec = &provider.spec;
    let mut lines = vec![format!("- **{}** (`{}`)", one_line(&spec.display_name), spec.id)];
    lines.push(match &spec.header_name {
        Some(header) => format!("  - Auth: added for you as `{}`", one_line(header)),
        None => "  - Auth: no header is added by itself".to_owned(),
    });
    for field in &spec.template_fields {
        let description =
            provider.field_descriptions.iter().find(|(name, _)| name == field).map(|(_, text)| format!(": {}", one_line(text)));
        lines.push(format!("  - Slot: `{{{{{field}}}}}`{}", description.unwrap_or_default()));
    }
    if provider.has_guide {
        lines.push(format!("  - Documentation: read `.pi/providers/{}/PROVIDER.md` before the first call", spec.id));
    } else if let Some(url) = &provider.docs_url {
        lines.push(format!("  - Documentation: {}", one_line(url)));
    }
    lines.push(format!("  - Authorized URLs: {}", authorized(provider)));
    lines.join("\n")
}

fn authorized(provider: &ProviderText) -> String {
    let listed: Vec<_> = provider.spec.authorized_uris.iter().map(|uri| format!("`{}`", one_line(uri))).collect();
    match (provider.spec.allow_all_uris, listed.is_empty()) {
        (true, true) => "any public URL".to_owned(),
        (true, false) => format!("{}, and any other public URL", listed.join(", ")),
        (false, true) => "none".to_owned(),
        (false, false) => listed.join(", "),
    }
}
