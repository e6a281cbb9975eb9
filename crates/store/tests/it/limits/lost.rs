use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use domain::SystemClock;
use store::{LimiterHealth, RateLimiter, RedisOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{bucket, redis_url};

/// A Redis of the test's own, which it may kill.
struct Server {
    port: u16,
    process: Option<Child>,
    folder: TempDir,
}

impl Server {
    /// A port on which nothing listens yet.
    fn reserved() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, process: None, folder: tempfile::tempdir().unwrap() }
    }

    fn start(&mut self) {
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &self.port.to_string(), "--dir", self.folder.path().to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops the process without ending it, or lets it go on: connections stay open and silent.
    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }

    async fn limiter(&self) -> RateLimiter {
        let url = format!("redis://127.0.0.1:{}/0", self.port);
        RateLimiter::on_redis(RedisOptions::new(url.as_str().into()), Arc::new(SystemClock)).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How many of ten requests pass a quota of three.
async fn passes(limiter: &RateLimiter, owner: &str) -> usize {
    let mut passed = 0;
    for _ in 0..10 {
        passed += usize::from(limiter.spend(owner, &[bucket("run", 3)]).await.is_allowed);
    }
    passed
}

fn redis(is_degraded: bool, outages: u64) -> LimiterHealth {
    LimiterHealth { engine: "redis", is_degraded, outages }
}

#[tokio::test]
async fn a_redis_that_is_not_there_leaves_each_node_to_itself() {
    let server = Server::reserved();
    let (one, other) = (server.limiter().await, server.limiter().await);
    assert_eq!(one.health(), redis(true, 1));
    assert_eq!((passes(&one, "user").await, passes(&other, "user").await), (3, 3));
    assert_eq!(one.health(), redis(true, 1), "an outage is counted once");
}

#[tokio::test]
async fn a_redis_that_says_nothing_is_not_waited_for() {
    // Accepts connections, because the kernel does, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/0", silent.local_addr().unwrap());
    let limiter = RateLimiter::on_redis(RedisOptions::new(url.as_str().into()), Arc::new(SystemClock)).await.unwrap();
    assert_eq!(limiter.health(), redis(true, 1));
    assert_eq!(passes(&limiter, "user").await, 3);
}

#[tokio::test]
async fn a_url_that_leads_nowhere_is_refused_and_not_repeated() {
    for url in ["", "localhost", "http://localhost:6379", "redis://", "redis://user:hunter2@host:port/0", "redis://host/database"] {
        let error = RateLimiter::on_redis(RedisOptions::new(url.into()), Arc::new(SystemClock)).await.unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_lost_redis_is_replaced_at_once_and_used_again_when_it_is_back() {
    if redis_url().is_none() {
        return;
    }
    let mut server = Server::reserved();
    let limiter = server.limiter().await;
    assert_eq!(limiter.health(), redis(true, 1));

    server.start();
    limiter.until_lost(false).await;
    let other = server.limiter().await;
    assert_eq!((passes(&limiter, "shared").await, passes(&other, "shared").await), (3, 0), "both nodes count on Redis");

    server.kill();
    // What was used up stays so; everything else begins anew, on each node.
    assert_eq!((passes(&limiter, "shared").await, passes(&limiter, "user").await, passes(&other, "user").await), (0, 3, 3));
    assert_eq!((limiter.health(), other.health()), (redis(true, 2), redis(true, 1)));

    server.start();
    limiter.until_lost(false).await;
    other.until_lost(false).await;
    assert_eq!((passes(&limiter, "late").await, passes(&other, "late").await), (3, 0), "both nodes count on Redis again");
    assert_eq!(limiter.health(), redis(false, 2));
}

#[tokio::test]
async fn a_redis_that_hangs_is_waited_for_once_and_briefly() {
    if redis_url().is_none() {
        return;
    }
    let mut server = Server::reserved();
    let limiter = server.limiter().await;
    server.start();
    limiter.until_lost(false).await;

    server.signal("-STOP");
    // Far more than the 50 ms of one wait, far less than ten of its reconnects.
    let passed = tokio::time::timeout(Duration::from_secs(5), passes(&limiter, "user")).await;
    assert_eq!(passed, Ok(3));
    assert_eq!(limiter.health(), redis(true, 2));
    server.signal("-CONT");
    limiter.until_lost(false).await;
    assert_eq!(passes(&limiter, "late").await, 3);
}
