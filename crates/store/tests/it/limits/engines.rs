use std::time::Duration;

use futures::future::join_all;
use redis::AsyncCommands as _;
use store::{Bucket, RateLimiter};

use super::{Nodes, bucket, options, quota, redis_url};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_at_once_exactly_as_many_pass_as_the_quota_says() {
    for nodes in Nodes::each().await {
        let spawned = (0..1000).map(|number| {
            let node = nodes.limiters[number % nodes.limiters.len()].clone();
            tokio::spawn(async move {
                let path = format!("POST:/api/agents/@acme/agent-{}/run", number % 10);
                node.spend("apikey:key_1", &[bucket(&path, 20), bucket("run", 137)]).await
            })
        });
        let verdicts: Vec<_> = join_all(spawned).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(verdicts.iter().filter(|verdict| verdict.is_allowed).count(), 137, "{}", nodes.engine);
        assert!(verdicts.iter().filter(|verdict| !verdict.is_allowed).all(|verdict| verdict.tightest.remaining == 0));
    }
}

#[tokio::test]
async fn what_is_told_holds() {
    for nodes in Nodes::each().await {
        for used in 1..=5 {
            let verdict = nodes.spend("user", bucket("GET:/api/runs", 5)).await;
            assert!(verdict.is_allowed);
            // Time passes, so the window that opened with the first request is the one that ends.
            assert_eq!(
                (verdict.tightest.remaining, verdict.tightest.reset),
                (5 - used, Duration::from_millis(60_000 - 1500 * u64::from(used - 1)))
            );
            nodes.clock.advance(Duration::from_millis(1500));
        }
        for node in &nodes.limiters {
            let refused = node.spend("user", &[bucket("GET:/api/runs", 5)]).await;
            assert!(!refused.is_allowed, "{}", nodes.engine);
            assert_eq!((refused.tightest.remaining, refused.tightest.reset_seconds()), (0, 53));
        }
        nodes.clock.advance(Duration::from_millis(52_499));
        assert!(!nodes.spend("user", bucket("GET:/api/runs", 5)).await.is_allowed, "one millisecond too early");
        nodes.clock.advance(Duration::from_millis(1));
        let verdict = nodes.spend("user", bucket("GET:/api/runs", 5)).await;
        assert!(verdict.is_allowed, "{}", nodes.engine);
        assert_eq!((verdict.tightest.remaining, verdict.tightest.reset), (4, Duration::from_mins(1)));
    }
}

#[tokio::test]
async fn a_request_draws_on_all_its_buckets_or_on_none() {
    for nodes in Nodes::each().await {
        let node = &nodes.limiters[0];
        let (own, other, ceiling) = (bucket("POST:/a", 2), bucket("POST:/b", 2), bucket("create", 3));
        for remaining in [1, 0] {
            let verdict = node.spend("user", &[own, ceiling]).await;
            assert_eq!((verdict.is_allowed, verdict.tightest.remaining, verdict.at), (true, remaining, 0), "{}", nodes.engine);
        }
        // Refused by its own bucket; the ceiling has one left and keeps it.
        assert_eq!(node.spend("user", &[own, ceiling]).await.at, 0);
        let last = node.spend("user", &[other, ceiling]).await;
        assert_eq!((last.is_allowed, last.tightest.remaining, last.at), (true, 0, 1), "the ceiling is the tighter one");
        let refused = node.spend("user", &[other, ceiling]).await;
        assert_eq!((refused.is_allowed, refused.at, refused.tightest.quota.limit.get()), (false, 1, 3));
        // The other path has lost nothing by that.
        assert_eq!(node.look("user", &[other]).await.tightest.remaining, 1);
    }
}

#[tokio::test]
async fn of_two_that_are_used_up_the_one_that_takes_longer_is_told() {
    for nodes in Nodes::each().await {
        let node = &nodes.limiters[0];
        let (short, long) = (Bucket { name: "short", quota: quota(1, 10) }, Bucket { name: "long", quota: quota(1, 30) });
        assert!(node.spend("user", &[short, long]).await.is_allowed);
        let refused = node.spend("user", &[short, long]).await;
        assert_eq!((refused.at, refused.tightest.reset), (1, Duration::from_secs(30)), "{}", nodes.engine);
        nodes.clock.advance(refused.tightest.reset);
        assert!(node.spend("user", &[short, long]).await.is_allowed);
    }
}

#[tokio::test]
async fn owners_and_buckets_are_apart() {
    for nodes in Nodes::each().await {
        assert!(nodes.spend("apikey:key_1", bucket("POST:/api/runs", 1)).await.is_allowed);
        assert!(!nodes.spend("apikey:key_1", bucket("POST:/api/runs", 1)).await.is_allowed);
        for (owner, name) in [("apikey:key_2", "POST:/api/runs"), ("apikey:key_1", "GET:/api/runs"), ("apikey:key_1P", "OST:/api/runs")] {
            assert!(nodes.spend(owner, bucket(name, 1)).await.is_allowed, "{owner} {name} on {}", nodes.engine);
        }
    }
}

#[tokio::test]
async fn looking_draws_nothing() {
    for nodes in Nodes::each().await {
        let node = &nodes.limiters[0];
        for _ in 0..3 {
            assert_eq!(node.look("user", &[bucket("run", 1)]).await.tightest.remaining, 1, "{}", nodes.engine);
        }
        assert!(node.spend("user", &[bucket("run", 1)]).await.is_allowed);
        let looked = node.look("user", &[bucket("run", 1)]).await;
        assert_eq!((looked.is_allowed, looked.tightest.remaining), (false, 0));
    }
}

#[tokio::test]
async fn a_node_knows_what_it_has_seen_used_up_until_the_window_ends() {
    for nodes in Nodes::each().await {
        let (node, last) = (&nodes.limiters[0], nodes.limiters.last().unwrap());
        let buckets = [bucket("refused", 2)];
        assert_eq!(node.known_refusal("203.0.113.7", &buckets), None);
        node.spend("203.0.113.7", &buckets).await;
        assert_eq!(node.known_refusal("203.0.113.7", &buckets), None);
        assert!(last.spend("203.0.113.7", &buckets).await.is_allowed);
        let known = last.known_refusal("203.0.113.7", &buckets).unwrap_or_else(|| panic!("{}", nodes.engine));
        assert_eq!((known.is_allowed, known.tightest.reset), (false, Duration::from_mins(1)));
        nodes.clock.advance(Duration::from_mins(1));
        assert_eq!(last.known_refusal("203.0.113.7", &buckets), None);
        assert!(last.spend("203.0.113.7", &buckets).await.is_allowed);
    }
}

#[tokio::test]
async fn no_window_takes_longer_than_the_quota_says() {
    // As after a restart with a shorter window, or with a clock that was set back.
    for nodes in Nodes::each().await {
        let day = Bucket { name: "run", quota: quota(1, 86_400) };
        assert!(nodes.limiters[0].spend("user", &[day]).await.is_allowed);
        let minute = bucket("run", 1);
        let refused = nodes.spend("user", minute).await;
        assert_eq!((refused.is_allowed, refused.tightest.reset), (false, Duration::from_mins(1)), "{}", nodes.engine);
    }
}

#[tokio::test]
async fn on_redis_windows_end_by_themselves_and_names_tell_nothing() {
    let Some(url) = redis_url() else { return };
    let options = options(&url);
    let limiter = RateLimiter::on_redis(options.clone(), std::sync::Arc::new(domain::SystemClock)).await.unwrap();
    let verdict = limiter.spend("203.0.113.7", &[bucket("POST:/api/auth/sign-in/email", 5)]).await;
    assert_eq!((verdict.tightest.remaining, verdict.tightest.reset), (4, Duration::from_mins(1)), "by the clock of Redis");

    let mut raw = redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let names: Vec<String> = raw.keys(format!("{}*", options.prefix)).await.unwrap();
    assert_eq!(names.len(), 2, "the bucket and the probe of the connection: {names:?}");
    for name in names {
        assert!(!name.contains("203.0.113.7") && !name.contains("sign-in"), "{name}");
        let left: i64 = raw.pttl(&name).await.unwrap();
        assert!((1..=60_000).contains(&left), "{name} lives for {left} ms");
    }
}
