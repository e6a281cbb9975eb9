//! Models that misbehave: the run ends with the code that says so, and what was spent is counted.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::{Value, json};
use testkit::scripted_model::{Call, Step, call, say};
use testkit::system::Agent;

use crate::support::{Ended, Lab};

fn refuse(status: u16, retry_after: Option<u64>) -> Step {
    Step::Refuse { status, retry_after }
}

fn spent(ended: &Ended) -> u64 {
    ended.run["costNanoUsd"].as_u64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_a_model_can_fail_has_its_code() -> anyhow::Result<()> {
    let lab = Lab::start("models").await?;
    let agent = lab.agent("plain", 60.0).await?;
    let many = Step::Answer { text: String::new(), calls: vec![Call { name: "ls".to_owned(), arguments: json!({}) }; 65] };
    let cut = Step::Cut { text: "a long answer ".repeat(100) };
    // What it does in every turn, the code, a word of the message, whether the provider has worked for it.
    let cases = [
        ("garbage", vec![Step::Garbage; 4], "model_misbehaved", "made no sense", true),
        ("cut", vec![cut], "model_unreachable", "4 tries", true),
        ("unauthorized", vec![refuse(401, None)], "model_authentication", "provider key", false),
        ("forbidden", vec![refuse(403, None)], "model_authentication", "provider key", false),
        ("rejected", vec![refuse(400, None)], "model_rejected", "status 400", false),
        ("unknown", vec![refuse(404, None)], "model_rejected", "status 404", false),
        ("limited", vec![refuse(429, Some(1))], "model_overloaded", "4 tries", false),
        ("broken", vec![refuse(500, None)], "model_overloaded", "4 tries", false),
        ("overloaded", vec![refuse(529, None)], "model_overloaded", "4 tries", false),
        ("crowd", vec![many], "model_misbehaved", "65 tool calls", true),
        ("repeats", vec![call("ls", json!({ "path": "." })); 50], "model_misbehaved", "same arguments", true),
    ];
    let runs = cases.into_iter().map(|(name, steps, code, word, worked)| {
        let (lab, agent) = (&lab, &agent);
        async move {
            let ended = lab.run(agent, steps).await?;
            ended.is("failed", Some(code))?;
            ensure!(ended.error().contains(word), "{name}: {}", ended.error());
            ensure!(!ended.error().contains("model-key-canary"), "{name}: {}", ended.error());
            ensure!((spent(&ended) > 0) == worked, "{name} cost {}: {:#}", spent(&ended), ended.run);
            anyhow::Ok(())
        }
    });
    try_join_all(runs).await?;
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_recovers_is_waited_for() -> anyhow::Result<()> {
    let lab = Lab::start("recovers").await?;
    let agent = lab.agent("plain", 60.0).await?;
    let begin = Instant::now();
    let run = lab.start_in_order(&agent, vec![refuse(429, Some(2)), refuse(503, None), say("Here I am.")]).await?;
    let ended = lab.ended(&run).await?;
    ended.is("success", None)?;
    ensure!(begin.elapsed() >= Duration::from_secs(2), "Retry-After is kept");
    let notices = ended.log.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains("Trying again"))).count();
    ensure!(notices == 2, "each try is told: {:#?}", ended.log);

    let run = lab.start_in_order(&agent, vec![Step::Cut { text: "half of an answer".repeat(50) }, say("Whole.")]).await?;
    let ended = lab.ended(&run).await?;
    ended.is("success", None)?;
    ensure!(spent(&ended) > 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_hangs_ends_with_the_time_of_the_run() -> anyhow::Result<()> {
    let lab = Lab::start("hangs").await?;
    let agent = lab.agent("hurried", 3.0).await?;
    for (name, first) in [("silent", Step::Hang), ("slow", say("late").after(Duration::from_secs(50))), ("limited", refuse(429, Some(600)))]
    {
        let begin = Instant::now();
        let run = lab.start_run(&agent, vec![call("ls", json!({})), first]).await?;
        let ended = lab.ended(&run).await?;
        let code = if name == "limited" { ("failed", "model_overloaded") } else { ("timeout", "timed_out") };
        ended.is(code.0, Some(code.1))?;
        ensure!(begin.elapsed() < Duration::from_secs(12), "{name} took {:?}", begin.elapsed());
        ensure!(spent(&ended) > 0, "the first turn is paid: {:#}", ended.run);
        lab.nothing_is_left(&run).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_are_answered_and_the_model_may_mend_them() -> anyhow::Result<()> {
    let lab = Lab::start("calls").await?;
    let schema = json!({ "type": "object", "required": ["total"], "properties": { "total": { "type": "integer" } } });
    let agent = lab.tenant.agent(&Agent { output: Some(schema), timeout_seconds: Some(60.0), ..Agent::named("strict") }).await?;
    let steps = vec![
        call("launch_missiles", json!({ "now": true })),
        call("bash", json!({ "command": 5, "extra": [] })),
        call("bash", json!("not even an object")),
        call("read", json!({ "path": "../../etc/shadow" })),
        call("output", json!({ "data": { "total": "many" } })),
        call("output", json!({ "data": { "total": 7 } })),
        say("Done."),
    ];
    let ended = lab.run(&agent, steps).await?;
    ended.is("success", None)?;
    ensure!(ended.run["result"]["output"] == json!({ "total": 7 }), "{:#}", ended.run);
    let results = ended.results();
    ensure!(results[0].is_error && results[0].text.contains("launch_missiles"), "{results:?}");
    ensure!(results[..5].iter().all(|result| result.is_error) && !results[5].is_error, "{results:?}");

    for (name, steps) in [
        ("never", vec![say("I am done."); 8]),
        ("empty", vec![say(""); 8]),
        ("wrong", [vec![call("output", json!({ "data": { "total": "many" } }))], vec![say("Surely fits."); 8]].concat()),
    ] {
        let ended = lab.run(&agent, steps).await?;
        ended.is("failed", Some("output_missing"))?;
        ensure!(ended.error().contains("an output that fits its schema"), "{name}: {}", ended.error());
        ensure!(ended.run["result"]["output"] != json!({ "total": "many" }), "{name}: {:#}", ended.run);
        ensure!(spent(&ended) > 0);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_calls_at_once_are_carried_out() -> anyhow::Result<()> {
    let lab = Lab::start("parallel").await?;
    let agent = lab.agent("busy", 60.0).await?;
    let calls = (0..64).map(|number| Call { name: "find".to_owned(), arguments: json!({ "pattern": format!("*{number}*") }) }).collect();
    let ended = lab.run(&agent, vec![Step::Answer { text: String::new(), calls }, say("Done.")]).await?;
    ended.is("success", None)?;
    let ids: std::collections::HashSet<String> =
        ended.log.iter().filter(|line| line["event"] == "tool.completed").map(|line| line["data"]["toolCallId"].to_string()).collect();
    ensure!(ids.len() == 64, "{} results", ids.len());
    let asked = lab.system.model.received();
    let last = asked.last().map(|request| request.body["messages"].as_array().cloned().unwrap_or_default()).unwrap_or_default();
    let answered = last.iter().filter(|message: &&Value| message["role"] == "tool").count();
    ensure!(answered == 64, "the model got {answered} results");
    Ok(())
}
