//! The protocol with a tool host that may say anything.

use std::time::Duration;

use serde_json::{Value, json};
use sidecar::hands::client::{HandsClient, Line, Request};
use sidecar::hands::setup::Beginning;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::frame;
use wire::hands::{Call, File, FromHands, LoadFailure, Setup, ToHands, ToolOutcome};
use wire::message::Block;

type Lines = mpsc::Receiver<Line>;

/// A client that is ready, and the host's end of its socket.
async fn ready() -> (HandsClient, UnixStream, Lines) {
    let (near, mut far) = UnixStream::pair().expect("a pair");
    let (lines, shown) = mpsc::channel(8);
    let beginning = Beginning { setup: Setup::default(), later: Vec::new() };
    let host = async {
        let setup: Option<ToHands> = frame::receive(&mut far).await.expect("a frame");
        assert!(matches!(setup, Some(ToHands::Setup(_))), "{setup:?}");
        say(&mut far, &FromHands::Ready { tools: Vec::new(), failures: Vec::new() }).await;
    };
    let (client, ()) = tokio::join!(HandsClient::begin(near, beginning, lines), host);
    (client.expect("begins"), far, shown)
}

async fn say(far: &mut UnixStream, message: &FromHands) {
    frame::send(far, message).await.expect("sends");
}

async fn hear(far: &mut UnixStream) -> ToHands {
    frame::receive(far).await.expect("a frame").expect("not the end")
}

fn request(arguments: &Value, timeout: Duration) -> Request<'_> {
    Request { tool: "bash", tool_call_id: "call_1", arguments, timeout }
}

fn text(outcome: &ToolOutcome) -> &str {
    match outcome.content.first() {
        Some(Block::Text { text }) => text,
        other => panic!("no text: {other:?}"),
    }
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn answers_find_their_calls_in_any_order_and_others_go_nowhere() {
    let (client, mut far, mut lines) = ready().await;
    let (arguments, cancel) = (json!({}), CancellationToken::new());
    let host = async {
        let mut calls = Vec::new();
        for _ in 0..2 {
            let ToHands::Call(Call { call, timeout_ms, .. }) = hear(&mut far).await else { panic!("a call") };
            assert_eq!(timeout_ms, Some(30_000));
            calls.push(call);
        }
        say(&mut far, &FromHands::Done { call: 999, outcome: ToolOutcome::text("forged") }).await;
        say(&mut far, &FromHands::Line { tool: "t".to_owned(), text: "x".repeat(100_000) }).await;
        say(&mut far, &FromHands::Ready { tools: Vec::new(), failures: Vec::new() }).await;
        for call in calls.iter().rev() {
            say(&mut far, &FromHands::Done { call: *call, outcome: ToolOutcome::text(format!("{call}")) }).await;
            say(&mut far, &FromHands::Done { call: *call, outcome: ToolOutcome::text("twice") }).await;
        }
    };
    let (first, second, ()) =
        tokio::join!(client.call(request(&arguments, LONG), &cancel), client.call(request(&arguments, LONG), &cancel), host);
    assert_eq!((text(&first.expect("alive")), text(&second.expect("alive"))), ("1", "2"));
    assert!(lines.recv().await.expect("a line").text.len() < 5_000);
}

#[tokio::test]
async fn a_flood_is_cut() {
    let (client, mut far, _lines) = ready().await;
    let (arguments, cancel) = (json!({}), CancellationToken::new());
    let host = async {
        let ToHands::Call(Call { call, .. }) = hear(&mut far).await else { panic!("a call") };
        say(&mut far, &FromHands::Done { call, outcome: ToolOutcome::text("x".repeat(10_000_000)) }).await;
    };
    let (outcome, ()) = tokio::join!(client.call(request(&arguments, LONG), &cancel), host);
    assert!(text(&outcome.expect("alive")).len() < 600_000);
}

#[tokio::test]
async fn the_death_of_the_host_is_an_error_of_the_calls_and_then_of_the_hands() {
    let (client, mut far, _lines) = ready().await;
    let (arguments, cancel) = (json!({}), CancellationToken::new());
    let host = async {
        hear(&mut far).await;
        drop(far);
    };
    let (outcome, ()) = tokio::join!(client.call(request(&arguments, LONG), &cancel), host);
    let outcome = outcome.expect("an outcome for the call that was going");
    assert!(outcome.is_error && text(&outcome).contains("died"), "{outcome:?}");
    client.call(request(&arguments, LONG), &cancel).await.expect_err("nothing more works");
}

#[tokio::test]
async fn garbage_is_the_end_of_the_host() {
    use tokio::io::AsyncWriteExt as _;
    for garbage in [b"\xff\xff\xff\xff".as_slice(), b"\0\0\0\x02{]", b"\0\0\0\x10{\"type\":\"nope\"}}"] {
        let (client, mut far, _lines) = ready().await;
        let (arguments, cancel) = (json!({}), CancellationToken::new());
        let host = async {
            hear(&mut far).await;
            far.write_all(garbage).await.expect("writes");
        };
        let (outcome, ()) = tokio::join!(client.call(request(&arguments, LONG), &cancel), host);
        assert!(outcome.expect("an outcome").is_error);
        client.call(request(&arguments, LONG), &cancel).await.expect_err("nothing more works");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_is_asked_to_stop_and_not_waited_for() {
    let (client, mut far, _lines) = ready().await;
    let (arguments, cancel) = (json!({}), CancellationToken::new());
    let host = async {
        assert!(matches!(hear(&mut far).await, ToHands::Call(Call { call: 1, .. })));
        assert_eq!(hear(&mut far).await, ToHands::Cancel { call: 1 });
    };
    let (outcome, ()) = tokio::join!(client.call(request(&arguments, Duration::from_secs(2)), &cancel), host);
    let outcome = outcome.expect("alive");
    assert!(outcome.is_error && text(&outcome).contains("after 2 seconds"), "{outcome:?}");
}

#[tokio::test]
async fn a_cancelled_call_gives_what_the_host_still_has() {
    let (client, mut far, _lines) = ready().await;
    let (arguments, cancel) = (json!({}), CancellationToken::new());
    let host = async {
        hear(&mut far).await;
        cancel.cancel();
        assert_eq!(hear(&mut far).await, ToHands::Cancel { call: 1 });
        say(&mut far, &FromHands::Done { call: 1, outcome: ToolOutcome::error("stopped half way") }).await;
    };
    let (outcome, ()) = tokio::join!(client.call(request(&arguments, LONG), &cancel), host);
    assert_eq!(text(&outcome.expect("alive")), "stopped half way");
}

#[tokio::test]
async fn a_host_that_cannot_begin_says_why() {
    for (message, expected) in [
        (Some(FromHands::Failed { message: "no space".to_owned() }), "no space"),
        (Some(FromHands::Done { call: 1, outcome: ToolOutcome::default() }), "before it was asked"),
        (None, "before it was ready"),
    ] {
        let (near, mut far) = UnixStream::pair().expect("a pair");
        let (lines, _shown) = mpsc::channel(8);
        let host = async {
            hear(&mut far).await;
            if let Some(message) = &message {
                say(&mut far, message).await;
            }
            drop(far);
        };
        let (client, ()) = tokio::join!(HandsClient::begin(near, Beginning { setup: Setup::default(), later: Vec::new() }, lines), host);
        let problem = client.expect_err("does not begin");
        assert!(problem.contains(expected), "{problem}");
    }
}

#[tokio::test]
async fn load_failures_are_kept_and_later_files_come_in_pieces() {
    let (near, mut far) = UnixStream::pair().expect("a pair");
    let (lines, _shown) = mpsc::channel(8);
    let package: domain::PackageName = "@acme/broken".parse().expect("name");
    let file = File { path: "big".to_owned(), content: vec![7; 9 * 1024 * 1024], mode: 0o600 };
    let beginning = Beginning { setup: Setup::default(), later: vec![file] };
    let host = async {
        hear(&mut far).await;
        let failure = LoadFailure { package: package.clone(), message: "imports \"left-pad\", which is not there".to_owned() };
        say(&mut far, &FromHands::Ready { tools: Vec::new(), failures: vec![failure] }).await;
        let mut whole = Vec::new();
        for number in 0..3 {
            let ToHands::Put { call, file, append } = hear(&mut far).await else { panic!("a put") };
            assert_eq!((file.path.as_str(), append), ("big", number > 0));
            whole.extend(file.content);
            say(&mut far, &FromHands::Done { call, outcome: ToolOutcome::default() }).await;
        }
        assert_eq!(whole, vec![7; 9 * 1024 * 1024]);
    };
    let (client, ()) = tokio::join!(HandsClient::begin(near, beginning, lines), host);
    let client = client.expect("begins");
    assert!(client.load_failure(&package).is_some_and(|text| text.contains("left-pad")));
}
