//! The same message, however the network cuts the stream.

use serde_json::json;
use wire::message::{StopReason, Usage};

use super::*;

const TRANSCRIPTS: [(ModelProtocol, &str); 3] = [
    (ModelProtocol::OpenAiCompletions, include_str!("transcripts/openai_completions.sse")),
    (ModelProtocol::OpenAiResponses, include_str!("transcripts/openai_responses.sse")),
    (ModelProtocol::AnthropicMessages, include_str!("transcripts/anthropic.sse")),
];
const TEXT: &str = "Ich prüfe 注文 7.";

fn wanted(protocol: ModelProtocol) -> Turn {
    let call = |id: &str, name: &str, arguments| ToolCall { id: id.to_owned(), name: name.to_owned(), arguments };
    let (raw, usage) = match protocol {
        ModelProtocol::OpenAiCompletions => (None, Usage { input: 72, output: 40, cache_read: 128, cache_write: 0 }),
        ModelProtocol::OpenAiResponses => {
            let item = json!({"id": "rs_1", "type": "reasoning", "encrypted_content": "gAAAAB==", "summary": []});
            (Some(item), Usage { input: 72, output: 40, cache_read: 128, cache_write: 0 })
        }
        ModelProtocol::AnthropicMessages => {
            let block = json!({"type": "thinking", "thinking": "Order 7 first.", "signature": "EqQBCg=="});
            (Some(block), Usage { input: 72, output: 40, cache_read: 108, cache_write: 20 })
        }
    };
    let opaque = raw.map(|raw| vec![json!({"raw": raw}), json!({"text": TEXT.len()}), json!({"call": 0}), json!({"call": 1})]);
    let message = AssistantMessage {
        text: TEXT.to_owned(),
        tool_calls: vec![call("call_a", "read", json!({"path": "a"})), call("call_b", "bash", json!({"command": "ls"}))],
        opaque: opaque.unwrap_or_default(),
    };
    Turn { message, usage: Some(usage), stop: StopReason::ToolCalls }
}

#[tokio::test]
async fn every_split_point_gives_the_same_message() {
    for (protocol, transcript) in TRANSCRIPTS {
        let spec = spec(protocol);
        let messages = [Message::User { content: vec![Block::text("begin")] }];
        for (ending, step) in [("\n", 1), ("\r\n", 11)] {
            let bytes = transcript.replace('\n', ending).into_bytes();
            for cut in (0..=bytes.len()).step_by(step) {
                let pieces = vec![Piece::Bytes(bytes[..cut].to_vec()), Piece::Bytes(bytes[cut..].to_vec())];
                let (result, shown) = call(&spec, &FakeTransport::stream(pieces), &messages).await;
                assert_eq!((result, shown.as_str()), (Ok(wanted(protocol)), TEXT), "{protocol:?} cut at {cut}");
            }
            let single = bytes.iter().map(|byte| Piece::Bytes(vec![*byte])).collect();
            let (result, shown) = call(&spec, &FakeTransport::stream(single), &messages).await;
            assert_eq!((result, shown.as_str()), (Ok(wanted(protocol)), TEXT), "{protocol:?} byte by byte");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_anywhere_is_never_taken_for_a_whole_message() {
    for (protocol, transcript) in TRANSCRIPTS {
        let spec = spec(protocol);
        let messages = [Message::User { content: vec![Block::text("begin")] }];
        let bytes = transcript.as_bytes();
        for cut in 0..bytes.len() {
            // One way to end at each place; over all places each way meets each kind of event.
            let end = [None, Some(Piece::Broken), Some(Piece::Silence)][cut % 3].clone();
            let pieces = [Piece::Bytes(bytes[..cut].to_vec())].into_iter().chain(end).collect();
            match call(&spec, &FakeTransport::stream(pieces), &messages).await.0 {
                Ok(turn) => assert_eq!(turn.message, wanted(protocol).message, "{protocol:?} cut at {cut}"),
                Err(error) => {
                    let kinds = [agent::ModelErrorKind::Unreachable, agent::ModelErrorKind::TimedOut];
                    assert!(kinds.contains(&error.kind), "{protocol:?} cut at {cut}: {error:?}");
                    assert!(error.usage.is_some(), "the call had begun, so it counts");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_was_reported_before_a_cut_is_kept() {
    let transcript = TRANSCRIPTS[2].1;
    let cut = transcript.find("event: ping").expect("a ping");
    let error = turn(ModelProtocol::AnthropicMessages, &FakeTransport::text(&transcript[..cut])).await.expect_err("cut");
    assert_eq!(error.usage, Some(Usage { input: 72, output: 1, cache_read: 108, cache_write: 20 }));
}
