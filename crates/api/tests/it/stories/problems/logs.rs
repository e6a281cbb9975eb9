//! What is logged in the course of a request is found by its id.

use std::io::Write;
use std::sync::{Arc, Mutex};

use api::problem::Problem;
use axum::Router;
use axum::routing::get;
use domain::Code;
use serde_json::Value;

use crate::world::World;

/// The lines of a log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn read(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn fault() -> Problem {
    Problem::internal(&std::io::Error::other("the disk is on fire"))
}

#[tokio::test]
async fn a_500_is_found_in_the_log_by_its_request_id() {
    let lines = Lines::default();
    let writer = lines.clone();
    // Only errors are logged, and the id is there all the same.
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::ERROR).with_writer(move || writer.clone()).finish();
    let world = World::with_routes(Router::new().route("/api/fault", get(fault))).await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    // As an end-user too: such a request is served by a task of its own.
    let callers = [key.clone(), key.as_user(ada.end_user("Grace").await)];
    let _logging = tracing::subscriber::set_default(subscriber);
    for caller in callers {
        let before = lines.read().len();
        let reply = caller.get("/api/fault").await.refused(Code::InternalError);
        let told: Vec<Value> = lines.read().split_off(before);
        let of_fault: Vec<_> = told.iter().filter(|line| line["fields"]["error"] == "the disk is on fire").collect();
        assert_eq!(of_fault.len(), 1, "{told:?}");
        assert_eq!(of_fault[0]["span"]["request.id"].as_str(), reply.header("request-id"));
    }
}
