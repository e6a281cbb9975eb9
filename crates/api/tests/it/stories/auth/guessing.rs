use std::time::Duration;

use domain::Code;
use serde_json::json;

use crate::world::{Actor, Reply, World};

async fn guess(caller: &Actor<'_>, email: &str, password: &str) -> Reply {
    caller.post("/api/auth/sign-in/email", &json!({"email": email, "password": password})).await
}

fn wait(reply: &Reply) -> u64 {
    reply.header("retry-after").unwrap_or_else(|| panic!("no Retry-After: {reply}")).parse().unwrap()
}

#[tokio::test]
async fn each_wrong_guess_at_an_account_doubles_the_wait_from_wherever_it_comes() {
    for world in World::each().await {
        world.user("ada@example.com").await;
        let from = |number: u32| world.anonymous().with("x-forwarded-for", format!("198.51.100.{number}"));
        for number in 0..10 {
            guess(&from(number), "ada@example.com", "a wrong guess").await.refused(Code::InvalidCredentials);
        }
        for (number, seconds) in [(20, 1), (21, 2), (22, 4), (23, 8)] {
            let reply = guess(&from(number), "Ada@Example.com ", "correct horse").await.refused(Code::TooManyAttempts);
            assert_eq!((wait(&reply), reply.at("/retryAfter")), (seconds, json!(seconds)), "right or wrong, it is not heard");
            world.clock.advance(Duration::from_secs(seconds));
            guess(&from(number), "ada@example.com", "a wrong guess").await.refused(Code::InvalidCredentials);
        }
        world.clock.advance(Duration::from_secs(16));
        guess(&from(30), "ada@example.com", "correct horse").await.is(200);
        for number in 0..10 {
            guess(&from(number), "ada@example.com", "a wrong guess").await.refused(Code::InvalidCredentials);
        }
    }
}

#[tokio::test]
async fn the_wait_is_never_longer_than_five_minutes_and_forgotten_after_a_day() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    for _ in 0..40 {
        guess(&world.anonymous(), "ada@example.com", "a wrong guess").await;
        world.clock.advance(Duration::from_mins(5));
    }
    for _ in 0..2 {
        guess(&world.anonymous(), "ada@example.com", "a wrong guess").await;
    }
    let reply = guess(&world.anonymous(), "ada@example.com", "a wrong guess").await.refused(Code::TooManyAttempts);
    assert!(wait(&reply) <= 300, "{reply}");
    world.clock.advance(Duration::from_hours(25));
    for _ in 0..10 {
        guess(&world.anonymous(), "ada@example.com", "a wrong guess").await.refused(Code::InvalidCredentials);
    }
}

#[tokio::test]
async fn an_account_that_does_not_exist_waits_just_as_long() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    let mut seen = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let mut replies = Vec::new();
        for _ in 0..14 {
            let reply = guess(&world.anonymous(), email, "a wrong guess").await;
            replies.push((reply.status, reply.stable(&[]), reply.stable_headers()));
        }
        seen.push(replies);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].iter().filter(|(status, ..)| *status == 429).count(), 4);
}

#[tokio::test]
async fn one_network_cannot_try_one_password_on_many_accounts() {
    let world = World::start().await;
    world.user("ada@example.com").await;
    let (attacker, other) = ("2001:db8:1:1::", "2001:db8:1:2::1");
    for number in 0..50 {
        let caller = world.anonymous().with("x-forwarded-for", format!("{attacker}{number:x}"));
        guess(&caller, &format!("user{number}@example.com"), "a wrong guess").await.refused(Code::InvalidCredentials);
    }
    let caller = world.anonymous().with("x-forwarded-for", format!("{attacker}ffff"));
    guess(&caller, "ada@example.com", "correct horse").await.refused(Code::TooManyAttempts);
    guess(&world.anonymous().with("x-forwarded-for", other), "ada@example.com", "correct horse").await.is(200);
}

#[tokio::test]
async fn guesses_made_at_once_gain_nothing() {
    for world in World::each().await {
        world.user("ada@example.com").await;
        let caller = world.anonymous();
        let guesses = (0..40).map(|_| guess(&caller, "ada@example.com", "a wrong guess"));
        let statuses: Vec<_> = futures::future::join_all(guesses).await.into_iter().map(|reply| reply.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30, "{statuses:?}");
    }
}
