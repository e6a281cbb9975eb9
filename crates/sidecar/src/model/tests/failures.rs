//! Every way a call can fail ends soon, with the right kind, and never shows the key.

use agent::ModelErrorKind;

use super::*;

async fn kind(protocol: ModelProtocol, transport: FakeTransport) -> ModelErrorKind {
    let error = turn(protocol, &transport).await.expect_err("fails");
    assert!(!error.message.contains(KEY), "{error}");
    assert!(!error.message.is_empty());
    error.kind
}

#[tokio::test]
async fn statuses_are_classified_and_cost_nothing() {
    for protocol in ModelProtocol::ALL {
        for (status, wanted) in [
            (400, ModelErrorKind::Rejected),
            (401, ModelErrorKind::Authentication),
            (403, ModelErrorKind::Authentication),
            (404, ModelErrorKind::Rejected),
            (429, ModelErrorKind::RateLimited),
            (500, ModelErrorKind::Server),
            (529, ModelErrorKind::Overloaded),
        ] {
            let body = format!("{{\"error\": {{\"message\": \"with {KEY} inside\"}}}}");
            let transport = FakeTransport::refusal(status, &[("retry-after", "11")], &body);
            let error = turn(protocol, &transport).await.expect_err("refused");
            assert_eq!((error.kind, error.retry_after, error.usage), (wanted, Some(Duration::from_secs(11)), None), "{status}");
            assert_eq!(error.message, format!("status {status}: with [redacted] inside"));
        }
    }
}

#[tokio::test]
async fn a_refusal_whose_body_hangs_is_still_that_refusal() {
    let transport = FakeTransport { status: Some(401), ..FakeTransport::stream(vec![Piece::Bytes(b"who are".to_vec()), Piece::Silence]) };
    assert_eq!(turn(ModelProtocol::OpenAiCompletions, &transport).await.expect_err("refused").message, "status 401: who are");
}

#[tokio::test]
async fn silence_before_and_during_the_answer_times_out() {
    for protocol in ModelProtocol::ALL {
        let silent = FakeTransport { status: None, ..FakeTransport::text("") };
        let error = turn(protocol, &silent).await.expect_err("times out");
        assert_eq!((error.kind, error.usage), (ModelErrorKind::TimedOut, None));
        let error =
            turn(protocol, &FakeTransport::stream(vec![Piece::Bytes(b": hi\n\n".to_vec()), Piece::Silence])).await.expect_err("times out");
        assert_eq!((error.kind, error.message.as_str()), (ModelErrorKind::TimedOut, "no answer for 120 seconds"));
        assert!(error.usage.is_some());
    }
}

#[tokio::test]
async fn garbage_is_recognized() {
    for protocol in ModelProtocol::ALL {
        for garbage in [
            "data: not json\n\n",
            "data: 7\n\n",
            "data: {\"choices\": 7}\n\n",
            "data: []\n\n",
            "data: {\"choices\": [{\"delta\": {\"content\": 5}}]}\n\n",
        ] {
            let got = kind(protocol, FakeTransport::text(garbage)).await;
            assert!(matches!(got, ModelErrorKind::Garbage), "{protocol:?} {garbage}: {got:?}");
        }
        assert_eq!(kind(protocol, FakeTransport::text("")).await, ModelErrorKind::Unreachable);
        let html = FakeTransport { headers: vec![("content-type", "text/html")], ..FakeTransport::text("<html>Sign in</html>") };
        let error = turn(protocol, &html).await.expect_err("no stream");
        assert_eq!(error.kind, ModelErrorKind::Garbage);
        assert!(error.message.contains("text/html") && error.message.contains("Sign in"), "{error}");
    }
}

#[tokio::test]
async fn a_done_without_a_message_is_garbage() {
    assert_eq!(kind(ModelProtocol::OpenAiCompletions, FakeTransport::text("data: [DONE]\n\n")).await, ModelErrorKind::Garbage);
    let empty = "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[]}}\n\n";
    assert_eq!(kind(ModelProtocol::OpenAiResponses, FakeTransport::text(empty)).await, ModelErrorKind::Garbage);
    assert_eq!(
        kind(ModelProtocol::AnthropicMessages, FakeTransport::text("data: {\"type\":\"message_stop\"}\n\n")).await,
        ModelErrorKind::Garbage
    );
}

#[tokio::test]
async fn errors_inside_the_stream_have_their_kind() {
    let anthropic = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    assert_eq!(kind(ModelProtocol::AnthropicMessages, FakeTransport::text(anthropic)).await, ModelErrorKind::Overloaded);
    let completions = "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n";
    assert_eq!(kind(ModelProtocol::OpenAiCompletions, FakeTransport::text(completions)).await, ModelErrorKind::Server);
    let failed = "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"m\"},\
        \"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n";
    let error = turn(ModelProtocol::OpenAiResponses, &FakeTransport::text(failed)).await.expect_err("failed");
    assert_eq!((error.kind, error.usage.map(|usage| usage.input)), (ModelErrorKind::RateLimited, Some(9)));
    let error = "event: error\ndata: {\"type\":\"error\",\"code\":\"context_length_exceeded\",\"message\":\"m\"}\n\n";
    assert_eq!(kind(ModelProtocol::OpenAiResponses, FakeTransport::text(error)).await, ModelErrorKind::ContextTooLong);
}

#[tokio::test]
async fn an_error_with_status_200_and_json_is_no_success() {
    let body = "{\"error\": {\"message\": \"model overloaded\", \"type\": \"overloaded_error\"}}";
    let transport = FakeTransport { headers: vec![("content-type", "application/json")], ..FakeTransport::text(body) };
    assert_eq!(kind(ModelProtocol::OpenAiCompletions, transport).await, ModelErrorKind::Overloaded);
}

#[tokio::test]
async fn a_flood_ends() {
    let piece = Piece::Bytes(vec![b'x'; 1024 * 1024]);
    assert_eq!(kind(ModelProtocol::AnthropicMessages, FakeTransport::stream(vec![piece; 20])).await, ModelErrorKind::Garbage);
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_an_authentication_error() {
    let client = crate::model::client(
        &spec(ModelProtocol::AnthropicMessages),
        Some(Secret::from("line\nbreak")),
        Arc::new(FakeTransport::text("")),
        Arc::new(NoWait),
    );
    let messages = conversation(vec![]);
    let request = TurnRequest { system: "", messages: &messages, tools: &[], max_output_tokens: 1, cache: CacheMarkers::default() };
    assert_eq!(client.turn(&request, &Shown::default()).await.expect_err("refused").kind, ModelErrorKind::Authentication);
}
