//! 2026-11-21: starting a run answers like every other creation.

use serde_json::{Map, Value, json};

use super::change::{Call, Change, Spoken};
use super::{Release, Version};

pub(super) static RELEASE: Release = Release {
    version: Version("2026-11-21"),
    notes: &[
        "`POST /api/agents/{scope}/{name}/run` and `POST /api/runs` answer 201 with the whole run and its `Location`, not 200 with `runId` only.",
        "`RateLimit` and `RateLimit-Policy` are structured fields: `\"run\";r=18;t=45` and `\"run\";q=20;w=60`.",
    ],
    change: &StartedRuns,
    deprecation: None,
};

struct StartedRuns;

/// The operations that start a run of an agent.
const STARTS: [&str; 2] = ["/api/agents/{scope}/{name}/run", "/api/runs"];

/// The headers of rate limits before they were structured fields; [`crate::chain::rate_limit::headers`] writes both forms.
const LISTED: [(&str, &str, &str); 2] = [
    ("RateLimit", r"^limit=\d+, remaining=\d+, reset=\d+$", "limit=20, remaining=18, reset=45"),
    ("RateLimit-Policy", r"^\d+;w=\d+$", "20;w=60"),
];

impl Change for StartedRuns {
    fn undo_answer(&self, call: Call<'_>) -> Option<fn(&mut Spoken)> {
        (call.method == "POST" && STARTS.contains(&call.route)).then_some(only_the_id)
    }

    fn undo_document(&self, document: &mut Value) {
        for path in STARTS {
            let responses = document["paths"][path]["post"]["responses"].as_object_mut().expect("the operation answers");
            // Rebuilt, because the statuses stand in order.
            *responses = std::mem::take(responses)
                .into_iter()
                .map(|(status, response)| if status == "201" { ("200".to_owned(), accepted(response)) } else { (status, response) })
                .collect::<Map<_, _>>();
        }
        for (name, pattern, example) in LISTED {
            let header = &mut document["components"]["headers"][name];
            header["schema"]["pattern"] = json!(pattern);
            header["example"] = json!(example);
        }
    }
}

fn only_the_id(answer: &mut Spoken) {
    if answer.status == 201 {
        let id = answer.body["id"].take();
        *answer = Spoken { status: 200, location: None, body: json!({ "runId": id }) };
    }
}

fn accepted(mut response: Value) -> Value {
    response["description"] = json!("The run is accepted.");
    response["content"]["application/json"]["schema"] = json!({ "$ref": "#/components/schemas/StartedRun" });
    if let Some(headers) = response["headers"].as_object_mut() {
        headers.remove("Location");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_starts_differ() {
        let answer = |method, route| StartedRuns.undo_answer(Call { method, route });
        assert!(answer("GET", "/api/runs").is_none() && answer("POST", "/api/runs/inline").is_none());
        let undo = answer("POST", "/api/runs").expect("starts");
        let mut spoken = Spoken { status: 201, location: Some("/api/runs/run_1".into()), body: json!({"id": "run_1", "object": "run"}) };
        undo(&mut spoken);
        assert_eq!(spoken, Spoken { status: 200, location: None, body: json!({"runId": "run_1"}) });
    }
}
