//! The only way out of the sandbox: the two listeners that the sidecar holds.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use crate::support::{Running, sandbox};

/// Answers one connection with `text`.
fn answer_once(listener: TcpListener, text: &'static str) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        // The listener is handed over non-blocking, for tokio.
        listener.set_nonblocking(false).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        line
    })
}

#[tokio::test]
async fn the_sidecar_is_reached_by_name_on_both_ports() {
    let Running { mut probe, proxy, forward, handle } = Running::start(&sandbox(), "run_net").await;
    assert_eq!(proxy.local_addr().unwrap().to_string(), "127.0.0.1:8080");
    assert_eq!(forward.local_addr().unwrap().to_string(), "127.0.0.1:8081");
    let (proxy, forward) = (answer_once(proxy, "from the proxy"), answer_once(forward, "from the forward proxy"));
    assert_eq!(probe.attempt("tcp", "sidecar:8080"), "ok from the proxy");
    assert_eq!(probe.attempt("tcp", "localhost:8081"), "ok from the forward proxy");
    assert_eq!((proxy.join().unwrap(), forward.join().unwrap()), ("hello\n".to_owned(), "hello\n".to_owned()));
    assert_eq!(probe.attempt("tcp", "sidecar:8080"), "ECONNREFUSED", "nobody listens after the sidecar is gone");
    drop(handle);
}

#[tokio::test]
async fn listeners_are_handed_over_non_blocking() {
    let running = Running::start(&sandbox(), "run_async").await;
    let would_block = |listener: &TcpListener| listener.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(would_block(&running.proxy), Err(std::io::ErrorKind::WouldBlock));
    assert_eq!(would_block(&running.forward), Err(std::io::ErrorKind::WouldBlock));
}

#[tokio::test]
async fn two_sandboxes_do_not_meet() {
    let sandbox = sandbox();
    let (mut one, mut two) = tokio::join!(Running::start(&sandbox, "run_one"), Running::start(&sandbox, "run_two"));
    let first = answer_once(one.proxy, "first");
    let second = answer_once(two.proxy, "second");
    assert_eq!(one.probe.attempt("tcp", "sidecar:8080"), "ok first");
    assert_eq!(two.probe.attempt("tcp", "sidecar:8080"), "ok second");
    first.join().unwrap();
    second.join().unwrap();

    let listen = "setsid sh -c 'sleep 1000' </dev/null >/dev/null 2>&1 & echo one > /tmp/mark; echo one > /workspace/mark";
    one.probe.shell(listen);
    assert_eq!(two.probe.attempt("list", "/tmp"), "ok");
    assert_eq!(two.probe.attempt("list", "/workspace"), "ok");
    assert_eq!(two.probe.shell("ps -eo args= | grep -c 'sleep 100[0]'"), "exit 1 0");
}
