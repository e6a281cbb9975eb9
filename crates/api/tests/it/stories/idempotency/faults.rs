//! The database fails at any point of a keyed write: one effect at most, and the client's repetition ends well.

use domain::Code;
use serde_json::json;
use store::failpoints::{Fault, Point};

use crate::world::World;

#[tokio::test]
async fn a_repetition_after_any_fault_ends_with_one_effect() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let mut made = 0;
        for fault in [Fault::Error, Fault::Panic] {
            for point in Point::ALL.into_iter().filter(|point| *point != Point::Intended) {
                let caller = ada.with("idempotency-key", format!("{fault:?}-{point:?}"));
                let body = json!({"externalId": format!("{fault:?}-{point:?}")});
                world.failpoints.arm(point, fault);
                let broken = caller.post("/api/end-users", &body).await;
                broken.refused(if fault == Fault::Error { Code::Unavailable } else { Code::InternalError });
                // On PostgreSQL the transaction that was cut off ends a moment later, and with it its lock.
                let again = loop {
                    let again = caller.post("/api/end-users", &body).await;
                    if again.status != 409 {
                        break again.is(201);
                    }
                    assert_eq!(again.at("/code"), Code::IdempotencyInProgress.as_str(), "{again}");
                };
                made += 1;
                let was_committed = point == Point::Committed;
                assert_eq!(again.header("idempotent-replayed"), Some(if was_committed { "true" } else { "false" }), "{point:?}");
                assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), made, "{fault:?} at {point:?}");
            }
        }
    }
}
