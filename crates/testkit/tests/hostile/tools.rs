//! TypeScript tools that misbehave: the call fails with its cause, and the next call works.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::json;
use testkit::scripted_model::{Step, call, say};
use testkit::system::Agent;

use crate::support::{Ended, Lab};

/// A tool that does this when it is called.
fn tool(name: &str, body: &str) -> String {
    format!(
        "export default function (pi: any) {{\n  pi.registerTool({{ name: '{name}', description: 'Bad', parameters: {{ type: 'object' }}, \
         async execute(_id: string, params: any) {{ {body} }} }});\n}}\n"
    )
}

const GOOD: &str = "return { content: [{ type: 'text', text: `good ${6 * 7}` }] };";

impl Lab {
    /// Runs an agent with a bad tool and a good one; the model calls the bad one, then the good one.
    async fn bad_then_good(&self, name: &str, source: &str) -> anyhow::Result<Ended> {
        let bad = self.tenant.tool(name, name, source).await?;
        let good = format!("@{}/good", self.tenant.slug);
        let agent = Agent { tools: vec![bad, good], timeout_seconds: Some(60.0), ..Agent::named(&format!("with-{name}")) };
        let agent = self.tenant.agent(&agent).await?;
        self.run(&agent, vec![call(name, json!({})), call("good", json!({})), say("Done.")]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_fails_says_why_and_the_next_call_works() -> anyhow::Result<()> {
    let lab = Lab::start("tools").await?;
    lab.tenant.tool("good", "good", &tool("good", GOOD)).await?;
    let cases = [
        ("throws", tool("throws", "throw new TypeError('the stars are wrong');"), "the stars are wrong"),
        ("rejects", tool("rejects", "return Promise.reject({ reason: 42 });"), "42"),
        ("allocates", tool("allocates", "const all = []; for (;;) all.push(new Array(100000).fill({ a: 1 }));"), "memory"),
        ("one-string", tool("one-string", "let s = 'x'; for (;;) s += s;"), ""),
        ("recurses", tool("recurses", "const f = (n: number): number => 1 + f(n + 1); f(0);"), "stack"),
        ("never", tool("never", "await new Promise(() => {}); return 'x';"), "never finished"),
        (
            "floods",
            tool("floods", "for (let i = 0; i < 1024; i++) console.log('x'.repeat(1 << 20)); throw new Error('flooded');"),
            "flooded",
        ),
        ("answers-much", tool("answers-much", "return { content: [{ type: 'text', text: 'y'.repeat(30 * 1024 * 1024) }] };"), ""),
        ("exits", tool("exits", "(globalThis as any).process.exit(0);"), "exit"),
        ("child", format!("import {{ exec }} from 'node:child_process';\n{}", tool("child", "exec('id'); return 'x';")), "child_process"),
        ("syntax", tool("syntax", "let let = ;"), "index.ts"),
        ("top-throw", format!("throw new Error('no start');\n{}", tool("top-throw", GOOD)), "no start"),
    ];
    let runs = cases.iter().map(|(name, source, cause)| {
        let lab = &lab;
        async move {
            let ended = lab.bad_then_good(name, source).await?;
            ended.is("success", None)?;
            let bad = ended.result_of(name)?;
            ensure!(bad.is_error || *name == "answers-much", "{name} did not fail: {bad:?}");
            ensure!(bad.text.contains(cause), "{name} does not tell {cause:?}: {}", bad.text.chars().take(500).collect::<String>());
            let good = ended.result_of("good")?;
            ensure!(!good.is_error && good.text.contains("good 42"), "after {name}: {good:?}");
            anyhow::Ok(())
        }
    });
    try_join_all(runs).await?;
    let asked = lab.system.model.received();
    let largest = asked.iter().map(|request| request.body.to_string().len()).max().unwrap_or_default();
    ensure!(largest < 1 << 20, "the model was sent {largest} bytes");
    lab.serves_the_next_run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_loops_forever_ends_with_its_run() -> anyhow::Result<()> {
    let lab = Lab::start("loops").await?;
    for (name, body) in [
        ("loops", "for (;;) {}"),
        ("matches", "/^(a+)+$/.test('a'.repeat(40) + 'b'); for (;;) {}"),
        ("ticks", "for (;;) await new Promise(r => setTimeout(r, 1));"),
    ] {
        let tool = lab.tenant.tool(name, name, &tool(name, body)).await?;
        let agent = Agent { tools: vec![tool], timeout_seconds: Some(4.0), ..Agent::named(&format!("with-{name}")) };
        let agent = lab.tenant.agent(&agent).await?;
        let begin = Instant::now();
        let run = lab.start_run(&agent, vec![Step::Answer { text: String::new(), calls: Vec::new() }.and(name, json!({}))]).await?;
        let ended = lab.ended(&run).await?;
        ended.is("timeout", Some("timed_out"))?;
        ensure!(ended.error().contains("4 s"), "{}", ended.error());
        ensure!(begin.elapsed() < Duration::from_secs(20), "{name} took {:?}", begin.elapsed());
        lab.nothing_is_left(&run).await?;
    }
    lab.serves_the_next_run().await
}
