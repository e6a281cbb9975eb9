use domain::RunId;
use store::{Followed, RunEnding, RunEntry, WriteContext};
use wire::run_event::{LogLevel, RunEvent};

use super::{a_running_run, append};
use crate::world::World;

fn log(message: &str) -> RunEntry {
    RunEntry::Event(RunEvent::Log { level: LogLevel::Info, message: message.to_owned(), data: None })
}

#[tokio::test]
async fn a_follower_reads_what_was_then_what_comes_and_ends_with_the_run() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (claimed, mut seq) = a_running_run(&world.store, &ada.scope).await;
        let run = claimed.spec.run;
        let mut follow = world.store.follow_run(&ada.scope, run, 1).await.unwrap().unwrap().with_deltas();
        let mut next = async || match follow.next().await.unwrap() {
            Some(Followed::Event(record)) => format!("{} {}", record.seq, record.name),
            Some(Followed::Delta(text)) => format!("delta {text}"),
            None => "over".to_owned(),
        };
        assert_eq!(next().await, "2 run.started");
        seq = append(&world.store, &claimed.lease, seq, &[log("a"), log("b")]).await;
        assert_eq!((next().await, next().await), ("3 log".to_owned(), "4 log".to_owned()));
        world.store.pass_delta(run, "thinking");
        assert_eq!(next().await, "delta thinking");
        let (waited, ()) = tokio::join!(next(), async {
            append(&world.store, &claimed.lease, seq, &[log("c")]).await;
        });
        assert_eq!(waited, "5 log");
        let write = world.store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
        write.runs().finish(&claimed.lease, &RunEnding::default()).await.unwrap().unwrap();
        write.commit().await.unwrap();
        assert_eq!((next().await, next().await), ("6 run.ended".to_owned(), "over".to_owned()));

        // Whoever comes back after the end is not kept waiting.
        let mut late = world.store.follow_run(&ada.scope, run, 6).await.unwrap().unwrap();
        assert_eq!(late.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn nobody_follows_a_run_out_of_reach() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let (_, carol) = world.end_user(&ada, "carol").await;
        let (claimed, _) = a_running_run(&world.store, &ada.scope).await;
        for scope in [&bob.scope, &carol] {
            assert!(world.store.follow_run(scope, claimed.spec.run, 0).await.unwrap().is_none());
        }
        assert!(world.store.follow_run(&ada.scope, RunId::new(&domain::RandomIds), 0).await.unwrap().is_none());
    }
}
