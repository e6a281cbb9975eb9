//! The check that docs/reference/audit-log.md publishes, run as it stands there, on the log of a server that goes on meanwhile.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::world::World;

const PAGE: &str = include_str!("../../../../../../docs/reference/audit-log.md");

/// Runs the check on what the file holds. Where Python lacks `cryptography`, openssl verifies the signatures.
const MAIN: &str = r#"
import subprocess, sys, tempfile, types

class Openssl:
    def __init__(self, raw):
        self.raw = raw
    from_public_bytes = classmethod(lambda cls, raw: cls(raw))
    def verify(self, signature, data):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("key", bytes.fromhex("302a300506032b6570032100") + self.raw), ("data", data), ("signature", signature)):
                open(f"{folder}/{name}", "wb").write(content)
            arguments = ["-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-in", "data", "-sigfile", "signature"]
            subprocess.run(["openssl", "pkeyutl", "-verify", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)

try:
    import cryptography
except ImportError:
    name = "cryptography"
    for part in ("", ".hazmat", ".primitives", ".asymmetric", ".ed25519"):
        name += part
        sys.modules[name] = types.ModuleType(name)
    sys.modules[name].Ed25519PublicKey = Openssl

given = json.load(open(sys.argv[1]))
check(given["rows"], given["seals"], given["keys"], [tuple(pin) for pin in given["pins"]])
"#;

/// The block of Python on the page.
fn published() -> &'static str {
    let (_, rest) = PAGE.split_once("```python\n").expect("the page has a block of Python");
    rest.split_once("```").expect("the block ends").0
}

fn check(given: &Value) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (program, data) = (folder.path().join("check.py"), folder.path().join("given.json"));
    std::fs::write(&program, format!("{}{MAIN}", published())).unwrap();
    std::fs::write(&data, given.to_string()).unwrap();
    Command::new("python3").arg(program).arg(data).output().unwrap()
}

fn told(output: &Output) -> (bool, String) {
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn the_published_check_holds_on_a_log_that_goes_on_and_fails_on_one_that_was_changed() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let caller = ada.key(&["end-users:read", "end-users:write"]).await.with("user-agent", "ü \"quoted\"");
        let grace = caller.as_user(ada.end_user("Grace").await);
        ada.post("/api/end-users", &json!({"name": "Ève", "metadata": {"z": 1, "a": "é"}})).await.is(201);
        grace.get("/api/end-users").await.is(200);
        world.seal().await;
        grace.post("/api/end-users", &json!({})).await.is(403);
        world.seal().await;
        let page = |number: u32| format!("/api/audit-log/seals?pageSize=1&page={number}");
        let mut seals = vec![ada.get(&page(1)).await.is(200).at("/data/0")];
        // While the pages and then the rows are read, the log goes on and is sealed.
        grace.get("/api/end-users").await.is(200);
        world.seal().await;
        for number in 2..=3 {
            seals.push(ada.get(&page(number)).await.is(200).at("/data/0"));
        }
        assert_eq!(seals.iter().map(|seal| seal["number"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 2, 1]);
        let keys = ada.get("/api/audit-log/public-keys").await.is(200).at("/data");
        grace.get("/api/end-users").await.is(200);
        let export = ada.get("/api/audit-log?format=jsonl").await.is(200);
        let rows: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 5);

        let pin = json!([[2, seals[0]["digest"]]]);
        let given = json!({"rows": rows, "seals": seals, "keys": keys, "pins": pin});
        let (holds, words) = told(&check(&given));
        assert!(holds, "{words}");
        for (place, value) in [
            ("/rows/0/ip", json!("192.0.2.99")),
            ("/rows/2/position", json!(2)),
            ("/seals/2/signature", given.pointer("/seals/1/signature").unwrap().clone()),
            ("/keys/0/publicKey", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
            ("/pins/0/1", json!("0".repeat(64))),
        ] {
            let mut changed = given.clone();
            *changed.pointer_mut(place).unwrap() = value;
            assert!(!told(&check(&changed)).0, "{place} was changed");
        }
    }
}
