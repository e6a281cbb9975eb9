//! Accounts: mailed secrets, logins with others, attempts, and the ends of sessions.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait as _, Statement};
use store::{Allowance, AttemptBucket, NewAccountToken, Page, Settlement, TokenPurpose, UserChange, WriteContext, constraint};

use crate::world::{World, hash};

async fn count(world: &World, table: &str) -> i64 {
    let raw = world.raw().await;
    let sql = format!("SELECT count(*) FROM {table}");
    raw.query_one_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

const ALLOWANCE: Allowance = Allowance { free: 3, first: TimeDelta::seconds(1), longest: TimeDelta::seconds(8) };

async fn take(world: &World, buckets: &[AttemptBucket]) -> Option<i64> {
    let write = world.store.system().write(WriteContext::internal()).await.unwrap();
    let closed = write.attempts().take(buckets).await.unwrap();
    if closed.is_none() {
        write.commit().await.unwrap();
    }
    closed.map(|until| (until - world.store.clock().now()).num_seconds())
}

#[tokio::test]
async fn a_bucket_closes_for_longer_each_time_and_opens_again() {
    for world in World::each().await {
        let (ada, bob) = (AttemptBucket::new("door", "ada", ALLOWANCE), AttemptBucket::new("door", "bob", ALLOWANCE));
        for _ in 0..3 {
            assert_eq!(take(&world, &[ada]).await, None);
        }
        for seconds in [1, 2, 4, 8, 8] {
            assert_eq!(take(&world, &[bob, ada]).await, Some(seconds), "and bob's count is not touched");
            world.clock.advance(Duration::from_secs(u64::try_from(seconds).unwrap()));
            assert_eq!(take(&world, &[ada]).await, None);
        }
        for _ in 0..3 {
            assert_eq!(take(&world, &[bob]).await, None);
        }
        assert_eq!(take(&world, &[bob]).await, Some(1));
        let write = world.store.system().write(WriteContext::internal()).await.unwrap();
        write.attempts().settle(&[(ada, Settlement::Forget), (bob, Settlement::GiveBack)]).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!((take(&world, &[ada]).await, take(&world, &[bob]).await), (None, None));
        assert_eq!((take(&world, &[ada]).await, take(&world, &[bob]).await), (None, Some(1)));
    }
}

#[tokio::test]
async fn attempts_made_at_once_are_counted_one_by_one() {
    for world in World::each().await {
        let (ada, home) =
            (AttemptBucket::new("door", "ada", ALLOWANCE), AttemptBucket::new("house", "home", Allowance { free: 1000, ..ALLOWANCE }));
        // In both orders: those who wait for each other must not do so for ever.
        let attempts = (0..60).map(|at| if at % 2 == 0 { [ada, home] } else { [home, ada] });
        let outcomes = futures::future::join_all(attempts.map(|buckets| {
            let world = &world;
            async move { take(world, &buckets).await }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|closed| closed.is_none()).count(), 3, "{:?}", world.engine);
    }
}

#[tokio::test]
async fn forgotten_buckets_are_cleared_away() {
    for world in World::each().await {
        for number in 0..30 {
            take(&world, &[AttemptBucket::new("door", &number.to_string(), ALLOWANCE)]).await;
        }
        world.clock.advance(Duration::from_hours(24));
        for number in 0..2 {
            assert_eq!(take(&world, &[AttemptBucket::new("new", &number.to_string(), ALLOWANCE)]).await, None);
        }
        assert_eq!(count(&world, "attempts").await, 2);
    }
}

#[tokio::test]
async fn a_mailed_secret_works_once_in_time_and_for_its_purpose() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let system = world.store.system();
        let expires_at = world.store.clock().now() + TimeDelta::seconds(10);
        let new = |name: &str, purpose| NewAccountToken { user: acme.owner, purpose, token_hash: hash(name), expires_at };
        let write = system.write(WriteContext::internal()).await.unwrap();
        for name in ["one", "two", "late"] {
            write.account_tokens().create(new(name, TokenPurpose::ResetPassword)).await.unwrap();
        }
        write.commit().await.unwrap();

        let owner = async |name: &str, purpose| system.account_token_owner(&hash(name), purpose).await.unwrap();
        assert_eq!(owner("one", TokenPurpose::ResetPassword).await, Some(acme.owner));
        assert_eq!(owner("one", TokenPurpose::VerifyEmail).await, None);
        let write = system.write(WriteContext::internal()).await.unwrap();
        assert_eq!(write.account_tokens().consume(&hash("one"), TokenPurpose::VerifyEmail).await.unwrap(), None);
        assert_eq!(write.account_tokens().consume(&hash("one"), TokenPurpose::ResetPassword).await.unwrap(), Some(acme.owner));
        assert_eq!(write.account_tokens().consume(&hash("one"), TokenPurpose::ResetPassword).await.unwrap(), None);
        write.commit().await.unwrap();

        world.clock.advance(Duration::from_secs(10));
        assert_eq!(owner("late", TokenPurpose::ResetPassword).await, None);
        let write = system.write(WriteContext::internal()).await.unwrap();
        assert_eq!(write.account_tokens().consume(&hash("late"), TokenPurpose::ResetPassword).await.unwrap(), None);
        let expires_at = world.store.clock().now() + TimeDelta::seconds(10);
        write.account_tokens().create(NewAccountToken { expires_at, ..new("new", TokenPurpose::VerifyEmail) }).await.unwrap();
        assert_eq!(write.account_tokens().delete_of_user(acme.owner).await.unwrap(), 1, "the expired ones went with the new one");
    }
}

#[tokio::test]
async fn an_account_at_a_provider_signs_in_one_user() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let write = world.store.system().write(WriteContext::internal()).await.unwrap();
        write.login_identities().link("google", "1", acme.owner).await.unwrap();
        write.login_identities().link("github", "1", globex.owner).await.unwrap();
        let found =
            async |provider: &str, subject: &str| write.login_identities().user(provider, subject).await.unwrap().map(|user| user.id);
        assert_eq!((found("google", "1").await, found("github", "1").await), (Some(acme.owner), Some(globex.owner)));
        assert_eq!(found("google", "2").await, None);
        let error = write.login_identities().link("google", "1", globex.owner).await.unwrap_err();
        assert!(error.is_conflict(constraint::LOGIN_IDENTITY), "{error:?}");
    }
}

#[tokio::test]
async fn a_session_is_moved_on_and_never_back_or_to_life() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (system, session) = (world.store.system(), &acme.session.session);
        let later = session.expires_at + TimeDelta::days(1);
        assert!(system.extend_session(session.id, later).await.unwrap());
        assert!(!system.extend_session(session.id, later).await.unwrap(), "a second request of the same moment finds it done");
        assert!(!system.extend_session(session.id, session.expires_at).await.unwrap());
        assert_eq!(system.sessions_of(&acme.session, Page::FIRST).await.unwrap().items[0].expires_at, later);
        world.clock.advance(Duration::from_hours(8 * 24));
        assert!(!system.extend_session(session.id, later + TimeDelta::days(8)).await.unwrap(), "what has ended stays so");
        assert_eq!(system.sessions_of(&acme.session, Page::FIRST).await.unwrap().total, 0);
    }
}

#[tokio::test]
async fn a_password_is_replaced_only_by_who_knows_it() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let write = world.store.system().write(WriteContext::internal()).await.unwrap();
        write.users().set_password(acme.owner, &"old".to_owned().into()).await.unwrap();
        assert!(!write.users().replace_password(acme.owner, &"other".to_owned().into(), &"new".to_owned().into()).await.unwrap());
        assert!(write.users().replace_password(acme.owner, &"old".to_owned().into(), &"new".to_owned().into()).await.unwrap());
        assert!(!write.users().replace_password(acme.owner, &"old".to_owned().into(), &"third".to_owned().into()).await.unwrap());
        let user = write.users().update(acme.owner, UserChange { name: Some("Ada".to_owned()), language: None }).await.unwrap().unwrap();
        assert_eq!((user.name.as_str(), user.language), ("Ada", domain::Language::En));
    }
}

/// Counting an attempt and settling one lock the same buckets: in two orders each would wait for the other's second.
#[tokio::test]
async fn an_attempt_that_worked_and_one_that_begins_wait_in_one_order() {
    for world in World::each().await {
        for round in 0..8 {
            let account = AttemptBucket::new("account", &round.to_string(), ALLOWANCE);
            let address = AttemptBucket::new("address", &round.to_string(), ALLOWANCE);
            assert_eq!(take(&world, &[account, address]).await, None);

            let before = world.store.system().write(WriteContext::internal()).await.unwrap();
            before.attempts().take(&[account]).await.unwrap();
            let settled = tokio::spawn({
                let store = world.store.clone();
                async move {
                    let write = store.system().write(WriteContext::internal()).await.unwrap();
                    write.attempts().settle(&[(account, Settlement::Forget), (address, Settlement::GiveBack)]).await?;
                    write.commit().await
                }
            });
            world.until_waiting(1).await;
            let begun = tokio::spawn({
                let store = world.store.clone();
                async move {
                    let write = store.system().write(WriteContext::internal()).await.unwrap();
                    write.attempts().take(&[address, account]).await?;
                    write.commit().await
                }
            });
            world.until_waiting(2).await;
            before.commit().await.unwrap();
            let (settled, begun) = (settled.await.unwrap(), begun.await.unwrap());
            assert!(settled.is_ok() && begun.is_ok(), "round {round}: {settled:?}, {begun:?}");
        }
    }
}
