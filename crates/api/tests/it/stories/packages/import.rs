use afps::{FileSet, Manifest, write_archive};
use domain::Code;
use serde_json::{Value, json};

use crate::walk::upload;
use crate::world::{Reply, Tenant, World};

/// Uploads an archive of these files, which may be none that a package accepts.
async fn import(ada: &Tenant<'_>, manifest: Value, files: &[(&str, &str)]) -> Reply {
    let files = FileSet::collect(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))).unwrap();
    let archive = write_archive(&Manifest::from_value(manifest).unwrap(), &files).unwrap();
    upload(ada, "/api/packages/import", &archive).await
}

fn manifest(package_type: &str) -> Value {
    let name = format!("@ada/{package_type}");
    let mut manifest = json!({"name": name, "version": "1.0.0", "type": package_type, "schemaVersion": "1.3", "displayName": "A\0B"});
    let more = match package_type {
        "agent" => json!({"author": "A\0B"}),
        "tool" => json!({"entrypoint": "index.ts", "tool": {"name": "x", "description": "X\0Y", "inputSchema": {"type": "object"}}}),
        "provider" => json!({"definition": {
            "authMode": "custom", "credentials": {"schema": {"type": "object", "description": "X\0Y"}}, "authorizedUris": ["https://shop.example.com/*"]
        }}),
        _ => json!({"description": "A\0B"}),
    };
    manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    manifest
}

const SOURCE: &str = "export default { name: \"x\" };";

/// PostgreSQL keeps no NUL in a text, so every text of an archive that becomes a column is checked before.
#[tokio::test]
async fn a_text_with_nul_is_refused_on_every_engine() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        for (package_type, path, good) in [
            ("agent", "prompt.md", "Be brief."),
            ("skill", "SKILL.md", "---\nname: skill\n---\nBe brief."),
            ("tool", "TOOL.md", "# Adds"),
            ("provider", "PROVIDER.md", "# Shop"),
        ] {
            let nul = format!("{good}\0");
            let refused = import(&ada, manifest(package_type), &[(path, &nul), ("index.ts", SOURCE)]).await.refused(Code::PackageError);
            assert_eq!(refused.at("/errors/0/code"), "invalid_content", "{refused}");
            // The same with NUL in the manifest, where it is an escape and no byte, and so does no harm.
            let accepted = import(&ada, manifest(package_type), &[(path, good), ("index.ts", SOURCE)]).await.is(201);
            assert_eq!(accepted.at("/displayName"), "A\0B", "{accepted}");
        }
        // What is made from such a manifest is kept too.
        ada.post(&format!("/api/applications/{}/packages", ada.app), &json!({"packageId": "@ada/agent"})).await.is(201);
        let model = json!({"label": "Model", "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": "m"});
        ada.post("/api/models", &model).await.is(201);
        ada.post("/api/runs", &json!({"agentId": "@ada/agent"})).await.is(200);
    }
}
