mod create;
mod default;
mod delete;
mod list;
mod runs;
mod test;
mod update;

use serde_json::json;

use crate::world::Actor;

/// Stores a proxy; its id.
async fn proxy(owner: &Actor<'_>, label: &str) -> String {
    let body = json!({"label": label, "url": format!("http://ada:secret@{label}.example.com:8080")});
    owner.post("/api/proxies", &body).await.is(201).text_at("/id")
}

/// Two proxies of the operator's, the second the default.
const BUILT_IN: &str = r#"[{"id": "eu-exit", "label": "Europe", "url": "http://op:secret@eu.example.com"},
                           {"id": "us-exit", "label": "America", "url": "socks5://us.example.com", "isDefault": true}]"#;
