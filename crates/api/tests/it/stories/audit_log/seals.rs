//! Seals as a customer checks them: with nothing but what the API gives out, and the form that docs/reference/audit-log.md describes.

use std::fmt::Write as _;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Code;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::walk::Stage;
use crate::world::{Actor, World};

const SEALS: &str = "/api/audit-log/seals";

const ROW: [&str; 22] = [
    "id",
    "organizationId",
    "applicationId",
    "endUserId",
    "requestId",
    "apiKeyId",
    "userId",
    "permission",
    "decision",
    "method",
    "route",
    "path",
    "ip",
    "userAgent",
    "subject",
    "detail",
    "status",
    "code",
    "createdAt",
    "chain",
    "seal",
    "position",
];

const SEAL: [&str; 11] = [
    "chain",
    "number",
    "organizationId",
    "applicationId",
    "firstPosition",
    "lastPosition",
    "rowCount",
    "rowsDigest",
    "previous",
    "keyId",
    "sealedAt",
];

fn canonical(tag: &str, objects: &[&Value], members: &[&str]) -> String {
    let mut hash = Sha256::new_with_prefix(tag);
    for (object, member) in objects.iter().flat_map(|object| members.iter().map(move |member| (object, *member))) {
        let text = match &object[member] {
            detail if member == "detail" => detail.to_string(),
            Value::Null => {
                hash.update([0]);
                continue;
            }
            Value::String(text) => text.clone(),
            number => number.to_string(),
        };
        hash.update([1]);
        hash.update(u32::try_from(text.len()).unwrap().to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

/// Checks the whole chain that the caller reads; its length in seals and rows.
async fn check(caller: &Actor<'_>) -> (usize, usize) {
    let keys = caller.get("/api/audit-log/public-keys").await.is(200).at("/data");
    let export = caller.get("/api/audit-log?format=jsonl").await.is(200);
    let mut rows: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.retain(|row| !row["seal"].is_null());
    rows.sort_by_key(|row| row["position"].as_u64());
    let mut seals = caller.get(SEALS).await.is(200).at("/data").as_array().unwrap().clone();
    seals.reverse();
    let mut previous = "0".repeat(64);
    for seal in &seals {
        assert_eq!(seal["previous"], previous);
        let covered: Vec<_> = rows.iter().filter(|row| row["seal"] == seal["number"]).collect();
        assert_eq!(covered.len() as u64, seal["rowCount"].as_u64().unwrap());
        assert_eq!(canonical("appstrate:audit-rows:v1", &covered, &ROW), seal["rowsDigest"]);
        previous = canonical("appstrate:audit-seal:v1", &[seal], &SEAL);
        assert_eq!(previous, seal["digest"]);
        let key = keys.as_array().unwrap().iter().find(|key| key["id"] == seal["keyId"]).unwrap();
        let [public, signature] = [&key["publicKey"], &seal["signature"]].map(|text| STANDARD.decode(text.as_str().unwrap()).unwrap());
        UnparsedPublicKey::new(&ED25519, public).verify(&bytes(&previous), &signature).unwrap();
    }
    (seals.len(), rows.len())
}

#[tokio::test]
async fn a_customer_can_check_a_chain_without_any_secret() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let grace = ada.end_user("Grace").await;
        let key = ada.key(&["end-users:read", "end-users:write"]).await.with("user-agent", "ü \"quoted\" \\ end");
        for tenant in [&ada, &bob] {
            tenant.post("/api/end-users", &json!({"name": "Ève", "metadata": {"z": 1, "a": "é"}})).await.is(201);
            tenant.patch(&format!("/api/orgs/{}", tenant.org), &json!({"name": "Renamed ✓"})).await.is(200);
        }
        world.seal().await;
        key.as_user(grace).get("/api/end-users").await.is(200);
        key.as_user(grace).post("/api/end-users", &json!({})).await.is(403);
        world.seal().await;
        key.as_user(grace).get("/api/end-users").await.is(200);

        assert_eq!(check(&ada).await, (2, 3));
        assert_eq!(check(&ada.without("x-app-id")).await, (1, 1));
        assert_eq!(check(&bob).await, (1, 1));
    }
}

#[tokio::test]
async fn seals_are_paged_newest_first_and_ones_own() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let readers = [&*stage.own, &stage.key];
        for _ in 0..3 {
            stage.key.as_user(stage.grace).get("/api/runs").await.is(200);
            stage.foreign_key.as_user(stage.foreign_end_user).get("/api/runs").await.is(200);
            world.seal().await;
        }
        for reader in readers {
            let page = reader.get(&format!("{SEALS}?pageSize=2")).await.is(200);
            assert_eq!([page.at("/data/0/number"), page.at("/data/1/number")], [json!(3), json!(2)]);
            assert_eq!((page.at("/pagination/total"), page.at("/data/0/applicationId")), (json!(3), json!(stage.own.app)));
            assert_eq!(page.at("/data/0/chain"), json!(stage.own.app));
            let last = reader.get(&format!("{SEALS}?pageSize=2&page=2")).await.is(200);
            assert_eq!((last.at("/data/0/number"), last.at("/data/1")), (json!(1), Value::Null));
        }
        let sibling = stage.sibling_key.get(SEALS).await.is(200);
        assert_eq!((sibling.at("/pagination/total"), sibling.at("/data/0/chain")), (json!(1), json!(stage.sibling_app)));
        let foreign = stage.foreign_key.get(SEALS).await.is(200);
        assert_eq!(foreign.at("/data/0/organizationId"), json!(stage.foreign.org));
        stage.own.instead("x-app-id", stage.foreign.app.to_string()).get(SEALS).await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn there_is_one_key_for_all_and_it_outlives_its_seals() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let keys = async |caller: &Actor<'_>| caller.get("/api/audit-log/public-keys").await.is(200);
    ada.post("/api/end-users", &json!({"name": "Eve"})).await.is(201);
    world.seal().await;
    let first = keys(&ada).await;
    assert_eq!((first.at("/pagination/total"), first.at("/data/0/algorithm")), (json!(1), json!("Ed25519")));
    assert_eq!(STANDARD.decode(first.text_at("/data/0/publicKey")).unwrap().len(), 32);
    ada.post("/api/end-users", &json!({"name": "Eve"})).await.is(201);
    world.seal().await;
    assert_eq!(keys(&bob).await.json(), first.json());
    assert_eq!(ada.get("/api/audit-log/public-keys?page=2").await.is(200).at("/data"), json!([]));
}
