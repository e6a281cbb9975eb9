//! What every operation with a JSON body refuses.

use domain::Role;

use super::fixtures::{self, Content, Kind};
use super::operation::operations;
use super::principal::Principal;
use super::rows::Row;
use super::stage::Stage;
use super::target::Target;
use crate::world::World;

const OWNER: Principal = Principal::Session(Role::Owner);

#[tokio::test]
async fn unknown_members_and_garbage_are_refused_everywhere() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let mut cells = 0;
    for operation in operations().iter().filter(|operation| operation.takes_json()) {
        let row = match Kind::of(operation) {
            Some(kind) => kind.make(&stage, Target::Own).await,
            None => Row::default(),
        };
        let path = fixtures::path(operation, &row);
        let owner = &OWNER.actor(&stage, operation).await;
        let send = async |media_type: &str, body: Vec<u8>| {
            owner.with("content-type", media_type).send_bytes(operation.method.clone(), &path, body).await
        };
        let Content::Json(whole) = fixtures::body(&stage, operation, OWNER).await else { panic!("{operation} needs a JSON body") };
        let mut body = whole.clone();
        body["notAMember"] = 1.into();
        send("application/json", body.to_string().into_bytes()).await.invalid_at("/notAMember");
        for garbage in ["{", "nonsense", "{\"a\":1}}", "\u{0}"] {
            send("application/json", garbage.into()).await.refused(domain::Code::InvalidJson);
        }
        send("application/json", b"\xff\xfe\xfd".to_vec()).await.refused(domain::Code::InvalidJson);
        for shape in ["null", "[]", "7", "\"text\"", "false"] {
            send("application/json", shape.into()).await.invalid_at("");
        }
        send("application/json", "[".repeat(100_000).into_bytes()).await.refused(domain::Code::InvalidJson);
        send("application/json", vec![b' '; 1024 * 1024 + 1]).await.refused(domain::Code::PayloadTooLarge);
        send("text/plain", b"{}".to_vec()).await.refused(domain::Code::UnsupportedMediaType);
        let empty = send("application/json", Vec::new()).await;
        let may_be_empty = operation.value["requestBody"]["required"] != true;
        assert!(may_be_empty || empty.status == 400, "{operation}: {empty}");
        for member in whole.as_object().unwrap().keys() {
            let mut body = whole.clone();
            body[member] = serde_json::json!([{"deep": "\u{0}"}]);
            let reply = send("application/json", body.to_string().into_bytes()).await;
            assert_eq!(reply.status, 422, "{operation}, {member} of another type: {reply}");
            cells += 1;
        }
        cells += 16;
    }
    println!("{cells} cells");
}
