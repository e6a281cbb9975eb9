//! The message while it arrives, and the order of its parts for the way back.
//!
//! Providers want reasoning parts returned unchanged and in their place among text and calls. When a message has such parts,
//! `AssistantMessage::opaque` lists all of its parts in order: `{"raw": …}`, `{"text": bytes}` (a length: the text stands in the
//! message) and `{"call": position}`.

use agent::DeltaSink;
use serde_json::{Value, json};
use wire::message::{AssistantMessage, ToolCall};

#[derive(Debug, Default)]
pub(super) struct Draft {
    text: String,
    calls: Vec<DraftCall>,
    order: Vec<Part>,
}

#[derive(Debug, Default)]
struct DraftCall {
    id: String,
    name: String,
    arguments: String,
}

#[derive(Debug)]
enum Part {
    Raw(Value),
    Text(usize),
    Call(usize),
}

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Appends text and shows it.
    pub(super) fn say(&mut self, text: &str, deltas: &dyn DeltaSink) {
        if !text.is_empty() {
            deltas.delta(text);
            self.add_text(text);
        }
    }

    pub(super) fn add_text(&mut self, text: &str) {
        self.text.push_str(text);
        match self.order.last_mut() {
            Some(Part::Text(length)) => *length += text.len(),
            _ => self.order.push(Part::Text(text.len())),
        }
    }

    pub(super) fn add_raw(&mut self, value: Value) {
        self.order.push(Part::Raw(value));
    }

    /// Begins a call and returns its position.
    pub(super) fn begin_call(&mut self, id: &str, name: &str) -> usize {
        let position = self.calls.len();
        self.calls.push(DraftCall { id: id.to_owned(), name: name.to_owned(), arguments: String::new() });
        self.order.push(Part::Call(position));
        position
    }

    pub(super) fn call_id(&self, position: usize) -> &str {
        &self.calls[position].id
    }

    /// Appends a fragment of a call's arguments; id and name count only while the call has none.
    pub(super) fn extend_call(&mut self, position: usize, id: &str, name: &str, arguments: &str) {
        let call = &mut self.calls[position];
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        if call.name.is_empty() {
            name.clone_into(&mut call.name);
        }
        call.arguments.push_str(arguments);
    }

    pub(super) fn into_message(self) -> AssistantMessage {
        let has_raw = self.order.iter().any(|part| matches!(part, Part::Raw(_)));
        let opaque = if has_raw { self.order.into_iter().map(Part::into_value).collect() } else { Vec::new() };
        let tool_calls = self.calls.into_iter().map(|call| ToolCall { id: call.id, name: call.name, arguments: parsed(call.arguments) });
        AssistantMessage { text: self.text, tool_calls: tool_calls.collect(), opaque }
    }
}

impl Part {
    fn into_value(self) -> Value {
        match self {
            Self::Raw(value) => json!({"raw": value}),
            Self::Text(length) => json!({"text": length}),
            Self::Call(position) => json!({"call": position}),
        }
    }
}

/// Arguments as JSON; no text at all means no arguments; what does not parse stays text and is refused by the loop.
fn parsed(arguments: String) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    serde_json::from_str(&arguments).unwrap_or(Value::String(arguments))
}

/// One part of a message on its way back to the provider.
#[derive(Debug, PartialEq)]
pub(super) enum Replayed<'a> {
    Raw(&'a Value),
    Text(&'a str),
    Call(&'a ToolCall),
}

/// The parts of a message in their order; all text and all calls are among them, exactly once.
pub(super) fn replay(message: &AssistantMessage) -> Vec<Replayed<'_>> {
    let mut parts = Vec::new();
    let mut text = message.text.as_str();
    let mut calls = message.tool_calls.iter();
    for part in &message.opaque {
        if let Some(raw) = part.get("raw") {
            parts.push(Replayed::Raw(raw));
        } else if let Some(length) = part.get("text").and_then(Value::as_u64) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let (segment, rest) = text.split_at_checked(length).unwrap_or((text, ""));
            parts.push(Replayed::Text(segment));
            text = rest;
        } else if part.get("call").is_some() {
            parts.extend(calls.next().map(Replayed::Call));
        }
    }
    if !text.is_empty() {
        parts.push(Replayed::Text(text));
    }
    parts.extend(calls.map(Replayed::Call));
    parts
}

/// A call's arguments as the object that every protocol wants back; what was no object was answered with an error.
pub(super) fn object_arguments(call: &ToolCall) -> Value {
    if call.arguments.is_object() { call.arguments.clone() } else { json!({}) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoDeltas;
    impl DeltaSink for NoDeltas {
        fn delta(&self, _text: &str) {}
    }

    #[test]
    fn a_message_returns_in_its_order() {
        let mut draft = Draft::default();
        draft.add_raw(json!({"thinking": 1}));
        draft.say("é one", &NoDeltas);
        draft.say(" two", &NoDeltas);
        let call = draft.begin_call("c1", "read");
        draft.extend_call(call, "", "", "{\"path\":");
        draft.extend_call(call, "", "", "\"a\"}");
        draft.add_raw(json!({"thinking": 2}));
        draft.say("three", &NoDeltas);
        let message = draft.into_message();
        assert_eq!((message.text.as_str(), &message.tool_calls[0].arguments), ("é one twothree", &json!({"path": "a"})));
        let parts = replay(&message);
        let (first, second) = (json!({"thinking": 1}), json!({"thinking": 2}));
        assert_eq!(
            parts,
            [
                Replayed::Raw(&first),
                Replayed::Text("é one two"),
                Replayed::Call(&message.tool_calls[0]),
                Replayed::Raw(&second),
                Replayed::Text("three")
            ]
        );
    }

    #[test]
    fn a_message_without_opaque_parts_is_text_then_calls_and_a_broken_order_loses_nothing() {
        let call = ToolCall { id: "1".to_owned(), name: "x".to_owned(), arguments: json!("broken") };
        let mut message = AssistantMessage { text: "t".to_owned(), tool_calls: vec![call.clone()], opaque: vec![] };
        assert_eq!(replay(&message), [Replayed::Text("t"), Replayed::Call(&call)]);
        message.opaque = vec![json!({"call": 9}), json!({"call": 1}), json!({"text": 99}), json!("?")];
        assert_eq!(replay(&message), [Replayed::Call(&call), Replayed::Text("t")]);
        assert_eq!(object_arguments(&call), json!({}));
    }

    #[test]
    fn arguments_that_do_not_parse_stay_text() {
        assert_eq!(parsed(String::new()), json!({}));
        assert_eq!(parsed("{\"a\": ".to_owned()), json!("{\"a\": "));
    }
}
