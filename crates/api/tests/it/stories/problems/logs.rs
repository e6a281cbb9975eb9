//! What is logged in the course of a request is found by its id.

use api::problem::Problem;
use axum::Router;
use axum::routing::get;
use domain::Code;
use serde_json::Value;

use crate::world::{Logs, World};

async fn fault() -> Problem {
    Problem::internal(&std::io::Error::other("the disk is on fire"))
}

#[tokio::test]
async fn a_500_is_found_in_the_log_by_its_request_id() {
    let world = World::with_routes(Router::new().route("/api/fault", get(fault))).await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    // As an end-user too: such a request is served by a task of its own.
    let callers = [key.clone(), key.as_user(ada.end_user("Grace").await)];
    // Only errors are logged, and the id is there all the same.
    let logs = Logs::collect();
    for caller in callers {
        logs.take();
        let reply = caller.get("/api/fault").await.refused(Code::InternalError);
        let told: Vec<Value> = logs.take();
        let of_fault: Vec<_> = told.iter().filter(|line| line["fields"]["error"] == "the disk is on fire").collect();
        assert_eq!(of_fault.len(), 1, "{told:?}");
        assert_eq!(of_fault[0]["span"]["request.id"].as_str(), reply.header("request-id"));
    }
}
