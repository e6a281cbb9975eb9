//! Archives and manifests over HTTP.

use std::io::{Cursor, Write as _};

use anyhow::{Context as _, ensure};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::Lab;

const SOURCE: &str = "export default function (pi: any) { pi.registerTool({ name: 'x', description: 'X', parameters: { type: 'object' }, execute: () => 'x' }); }";

fn manifest(name: &str, version: &str) -> String {
    json!({
        "name": name, "version": version, "type": "tool", "schemaVersion": "1.3", "entrypoint": "index.ts",
        "tool": { "name": "x", "description": "X.", "inputSchema": { "type": "object" } }
    })
    .to_string()
}

/// A good package, and more entries as `write` adds them.
fn archive(name: &str, write: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>) -> anyhow::Result<()>) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    archive.start_file("manifest.json", options)?;
    archive.write_all(manifest(name, "1.0.0").as_bytes())?;
    archive.start_file("index.ts", options)?;
    archive.write_all(SOURCE.as_bytes())?;
    write(&mut archive)?;
    Ok(archive.finish()?.into_inner())
}

fn with_file(name: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    archive(name, |archive| {
        archive.start_file(path, SimpleFileOptions::default())?;
        Ok(archive.write_all(b"owned")?)
    })
}

/// Another name of the same length, in headers and directory.
fn renamed(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(from.len()).position(|window| window == from.as_bytes()) {
        bytes[at + found..at + found + to.len()].copy_from_slice(to.as_bytes());
        at += found + to.len();
    }
    bytes
}

impl Lab {
    async fn upload(&self, form: Form) -> anyhow::Result<(u16, Value)> {
        let response = self.tenant.session.request(Method::POST, "/api/packages/import").multipart(form).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    async fn import(&self, bytes: Vec<u8>) -> anyhow::Result<(u16, Value)> {
        self.upload(Form::new().part("file", Part::bytes(bytes).file_name("package.afps").mime_str("application/zip")?)).await
    }

    /// Names of the packages that the tenant owns.
    async fn own_packages(&self) -> anyhow::Result<Vec<String>> {
        let scope = format!("@{}/", self.tenant.slug);
        let mut names = Vec::new();
        for kind in ["agents", "tools", "skills", "providers"] {
            let list = self.tenant.session.get(&format!("/api/packages/{kind}?pageSize=100")).await?;
            let ids = list["data"].as_array().context("a list has data")?.iter().filter_map(|package| package["id"].as_str());
            names.extend(ids.filter(|id| id.starts_with(&scope)).map(str::to_owned));
        }
        Ok(names)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_archive_is_refused_whole_and_the_next_import_works() -> anyhow::Result<()> {
    let lab = Lab::start("archives").await?;
    let name = "@archives/tool";
    let deflated = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let bomb = archive(name, |archive| {
        archive.start_file("zeros.bin", deflated)?;
        let zeros = vec![0; 1 << 20];
        for _ in 0..19 {
            archive.write_all(&zeros)?;
        }
        Ok(())
    })?;
    let many_bombs = archive(name, |archive| {
        let mut noisy: Vec<u8> = (0u32..40_000).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        noisy.resize(15 << 20, 0);
        for number in 0..6 {
            archive.start_file(format!("{number}.bin"), deflated)?;
            archive.write_all(&noisy)?;
        }
        Ok(())
    })?;
    let link = archive(name, |archive| Ok(archive.add_symlink("shadow", "/etc/shadow", SimpleFileOptions::default())?))?;
    let crowd = archive(name, |archive| {
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for number in 0..100_000 {
            archive.start_file(format!("f{number:05}"), stored)?;
        }
        Ok(())
    })?;
    ensure!(crowd.len() < 10 << 20, "the crowd must fail by its number, not by its size: {}", crowd.len());
    let whole = archive(name, |_| Ok(()))?;
    let cases = [
        ("traversal", with_file(name, "../../etc/cron.d/owned")?, "zip_invalid"),
        ("absolute", with_file(name, "/etc/cron.d/owned")?, "zip_invalid"),
        ("backslashes", with_file(name, "..\\..\\owned")?, "zip_invalid"),
        ("bomb", bomb, "zip_bomb"),
        ("many bombs", many_bombs, "zip_bomb"),
        ("link", link, "zip_invalid"),
        ("duplicate", renamed(with_file(name, "xndex.ts")?, "xndex.ts", "index.ts"), "zip_invalid"),
        ("other case", with_file(name, "INDEX.ts")?, "zip_invalid"),
        ("100,000 entries", crowd, "zip_bomb"),
        ("truncated", whole[..whole.len() - 30].to_vec(), "zip_invalid"),
        ("cut in the middle", whole[..whole.len() / 2].to_vec(), "zip_invalid"),
        ("no ZIP", b"GIF89a, honestly".to_vec(), "zip_invalid"),
        ("empty", Vec::new(), "zip_invalid"),
    ];
    for (what, bytes, code) in cases {
        let (status, problem) = lab.import(bytes).await?;
        ensure!(status == 422 && problem["code"] == "invalid_package", "{what}: {status} {problem}");
        ensure!(problem["errors"][0]["code"] == code, "{what}: {problem}");
        ensure!(!problem.to_string().contains("owned\""), "{what}: contents are not repeated: {problem}");
    }
    ensure!(lab.own_packages().await?.is_empty(), "a refused archive left a package");

    let (status, package) = lab.import(whole).await?;
    ensure!(status == 201 && package["id"] == name, "{status} {package}");
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_the_wrong_form_or_size_is_refused() -> anyhow::Result<()> {
    let lab = Lab::start("uploads").await?;
    let part = |bytes: Vec<u8>| Part::bytes(bytes).file_name("package.afps");
    let good = archive("@uploads/tool", |_| Ok(()))?;
    let cases = [
        ("10 MiB and a byte", Form::new().part("file", part(vec![0; (10 << 20) + 1])), 413, "payload_too_large"),
        ("11 MiB", Form::new().part("file", part(vec![0; 11 << 20])), 413, "payload_too_large"),
        ("large beside the file", Form::new().part("other", part(vec![0; 11 << 20])), 413, "payload_too_large"),
        ("no file", Form::new().text("name", "value"), 400, "invalid_request"),
        ("two files", Form::new().part("file", part(good.clone())).part("file", part(good.clone())), 400, "invalid_request"),
    ];
    for (what, form, status, code) in cases {
        let answer = lab.upload(form).await?;
        ensure!(answer.0 == status && answer.1["code"] == code, "{what}: {answer:?}");
    }
    for (kind, body) in [("application/json", "{}".as_bytes()), ("application/zip", &good), ("multipart/form-data", &good)] {
        let request = lab.tenant.session.request(Method::POST, "/api/packages/import").header("content-type", kind).body(body.to_vec());
        let response = request.send().await?;
        ensure!(response.status() == 415, "{kind}: {}", response.status());
        let problem: Value = response.json().await?;
        ensure!(problem["code"] == "unsupported_media_type", "{kind}: {problem}");
    }
    // A form that ends in the middle of its file.
    let cut = "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nPK";
    let request =
        lab.tenant.session.request(Method::POST, "/api/packages/import").header("content-type", "multipart/form-data; boundary=edge");
    ensure!(request.body(cut).send().await?.status() == 400);
    ensure!(lab.own_packages().await?.is_empty());
    ensure!(lab.import(good).await?.0 == 201);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_manifest_is_told_at_once() -> anyhow::Result<()> {
    let lab = Lab::start("manifests").await?;
    let broken = json!({
        "name": "@manifests/Not A Name", "version": "one", "type": "agent", "schemaVersion": "1.3", "displayName": 7, "author": "Test",
        "timeout": -1, "dependencies": { "tools": { "nonsense": "*" } }, "output": { "schema": { "type": "array" } }
    });
    let pointers = |problem: &Value, under: &str| -> Vec<String> {
        let errors = problem["errors"].as_array().into_iter().flatten();
        errors.filter_map(|error| error["pointer"].as_str()?.strip_prefix(under).map(str::to_owned)).collect()
    };
    let wanted = ["/name", "/version", "/displayName", "/timeout", "/dependencies/tools/nonsense"];
    let body = json!({ "manifest": broken, "content": "Do it." });
    let (status, problem) = lab.tenant.session.call(Method::POST, "/api/packages/agents", Some(&body)).await?;
    ensure!(status == 422 && problem["code"] == "invalid_package", "{status} {problem}");
    let found = pointers(&problem, "/manifest");
    for pointer in wanted {
        ensure!(found.iter().any(|known| known.starts_with(pointer)), "{pointer} is missing in {problem:#}");
    }

    let archive = zip_of(&[("manifest.json", broken.to_string().as_bytes()), ("prompt.md", b"Do it.")])?;
    let (status, problem) = lab.import(archive).await?;
    ensure!(status == 422 && problem["code"] == "invalid_package", "{status} {problem}");
    let found = pointers(&problem, "");
    for pointer in wanted {
        ensure!(found.iter().any(|known| known.starts_with(pointer)), "{pointer} is missing in {problem:#}");
    }
    for text in ["", "[]", "null", "{\"type\":", "\u{0}", &"[".repeat(100_000)] {
        let archive = zip_of(&[("manifest.json", text.as_bytes()), ("prompt.md", b"Do it.")])?;
        let (status, problem) = lab.import(archive).await?;
        let shown: String = text.chars().take(20).collect();
        ensure!(status == 422 && problem["code"] == "invalid_package", "{shown}: {status} {problem}");
    }
    ensure!(lab.own_packages().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_package_may_not_be_is_refused() -> anyhow::Result<()> {
    let lab = Lab::start("publish").await?;
    let agent = |name: &str, dependencies: Value| {
        json!({
            "name": name, "version": "1.0.0", "type": "agent", "schemaVersion": "1.3", "displayName": "A", "author": "Test",
            "dependencies": dependencies
        })
    };
    let publish = async |manifest: Value, content: String| {
        lab.tenant.session.call(Method::POST, "/api/packages/agents", Some(&json!({ "manifest": manifest, "content": content }))).await
    };
    for kind in ["tools", "skills", "providers"] {
        let (status, problem) = publish(agent("@publish/a", json!({ kind: { "@publish/missing": "^1.0.0" } })), "Do it.".into()).await?;
        ensure!(status == 422 && problem["errors"][0]["code"] == "missing_dependency", "{kind}: {status} {problem}");
        ensure!(problem.to_string().contains("@publish/missing"), "{kind}: {problem}");
    }
    let (status, problem) = publish(agent("@publish/a", json!({})), "x".repeat(200_001)).await?;
    ensure!(status == 422 && problem["code"] == "invalid_package", "{status} {problem}");
    let (status, problem) = publish(agent("@appstrate/output", json!({})), "Do it.".into()).await?;
    ensure!((status, &problem["code"]) == (403, &json!("scope_mismatch")), "{status} {problem}");

    let version = |version: &str, source: &str| {
        zip_of(&[("manifest.json", manifest("@publish/tool", version).as_bytes()), ("index.ts", source.as_bytes())])
    };
    let (status, problem) = lab.import(version("1.0.0", "export const x = 1;")?).await?;
    ensure!(status == 422 && problem.to_string().contains("no default export"), "{status} {problem}");
    ensure!(lab.import(version("1.1.0", SOURCE)?).await?.0 == 201);
    ensure!(lab.import(version("1.1.0", SOURCE)?).await?.0 == 201, "the same bytes again are no error");
    let (status, problem) = lab.import(version("1.1.0", "export default () => {};")?).await?;
    ensure!((status, &problem["code"]) == (409, &json!("integrity_mismatch")), "{status} {problem}");
    let (status, problem) = lab.import(version("1.0.9", SOURCE)?).await?;
    ensure!((status, &problem["code"]) == (409, &json!("version_not_forward")), "{status} {problem}");
    let (status, problem) = publish(agent("@publish/tool", json!({})), "Do it.".into()).await?;
    ensure!((status, &problem["code"]) == (409, &json!("type_mismatch")), "{status} {problem}");
    ensure!(lab.import(version("1.2.0", SOURCE)?).await?.0 == 201);
    ensure!(lab.own_packages().await? == ["@publish/tool"]);
    Ok(())
}

fn zip_of(files: &[(&str, &[u8])]) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default())?;
        archive.write_all(content)?;
    }
    Ok(archive.finish()?.into_inner())
}
