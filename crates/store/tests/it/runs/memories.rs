use std::time::Duration;

use domain::PackageName;
use store::{AppScope, MOST_MEMORIES, Page, RunEnding, WriteContext};
use wire::control::MemoryWrite;

use super::a_running_run;
use crate::world::World;

fn agent() -> PackageName {
    "@acme/agent".parse().unwrap()
}

/// A successful run that remembers these; how many old entries made room.
async fn remember(world: &World, scope: &AppScope, memories: Vec<MemoryWrite>) -> u64 {
    world.clock.advance(Duration::from_millis(1));
    let (claimed, _) = a_running_run(&world.store, scope).await;
    let write = world.store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
    let finished = write.runs().finish(&claimed.lease, &RunEnding { failure: None, memories }).await.unwrap().unwrap();
    write.commit().await.unwrap();
    finished.forgotten
}

fn text(text: &str) -> MemoryWrite {
    MemoryWrite { key: None, text: text.to_owned() }
}

fn keyed(key: &str, text: &str) -> MemoryWrite {
    MemoryWrite { key: Some(key.to_owned()), text: text.to_owned() }
}

async fn texts(world: &World, scope: &AppScope) -> Vec<String> {
    let read = world.store.read(scope).await.unwrap();
    read.memories().of_run(&agent()).await.unwrap().into_iter().map(|(memory, _)| memory.text).collect()
}

#[tokio::test]
async fn a_key_replaces_its_entry_within_one_owner() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (_, carol) = world.end_user(&ada, "carol").await;
        remember(&world, &ada.scope, vec![keyed("tone", "formal"), text("likes tea")]).await;
        remember(&world, &carol, vec![keyed("tone", "plain")]).await;
        remember(&world, &ada.scope, vec![keyed("tone", "curt"), keyed("tone", "warm")]).await;
        assert_eq!(texts(&world, &ada.scope).await, ["likes tea", "warm"]);
        assert_eq!(texts(&world, &carol).await, ["plain"], "the API's view of an end-user is its own");
        assert_eq!(texts(&world, &carol.for_run()).await, ["likes tea", "plain", "warm"]);
    }
}

#[tokio::test]
async fn past_the_most_the_oldest_of_the_same_owner_goes() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (_, carol) = world.end_user(&ada, "carol").await;
        remember(&world, &carol, vec![text("carol's")]).await;
        let many = (0..MOST_MEMORIES).map(|count| text(&format!("fact {count}"))).collect();
        assert_eq!(remember(&world, &ada.scope, many).await, 0);
        assert_eq!(remember(&world, &ada.scope, vec![text("new a"), text("new b")]).await, 2);
        let kept = texts(&world, &ada.scope).await;
        assert_eq!(kept.len() as u64, MOST_MEMORIES);
        assert_eq!((kept[0].as_str(), kept[99].as_str()), ("fact 2", "new b"));
        assert_eq!(texts(&world, &carol).await, ["carol's"]);
    }
}

#[tokio::test]
async fn memories_are_listed_newest_first_and_forgotten_only_within_reach() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let (carol_id, carol) = world.end_user(&ada, "carol").await;
        let (_, dave) = world.end_user(&ada, "dave").await;
        remember(&world, &carol, vec![text("carol's"), text("with \0 in it")]).await;
        remember(&world, &ada.scope, vec![text("the application's")]).await;
        let list = async |scope: &AppScope| {
            let read = world.store.read(scope).await.unwrap();
            read.memories().list(&agent(), Page::FIRST).await.unwrap()
        };
        let all = list(&ada.scope).await;
        assert_eq!((all.total, all.items[0].content.as_str(), all.items[0].end_user), (3, "the application's", None));
        assert_eq!((all.items[1].content.as_str(), all.items[1].end_user), ("with \u{fffd} in it", Some(carol_id)));
        assert_eq!(list(&carol).await.total, 2);
        assert_eq!(list(&carol.for_run()).await.total, 3);
        assert_eq!((list(&dave).await.total, list(&bob.scope).await.total), (0, 0));

        let forget = async |scope: &AppScope, id| {
            let write = world.store.write(scope, WriteContext::internal()).await.unwrap();
            let is_gone = write.memories().delete(&agent(), id).await.unwrap();
            write.commit().await.unwrap();
            is_gone
        };
        assert!(!forget(&dave, all.items[2].id).await);
        assert!(!forget(&carol.for_run(), all.items[0].id).await, "an end-user's run reads the application's, but not more");
        assert!(!forget(&bob.scope, all.items[0].id).await);
        assert!(forget(&carol, all.items[2].id).await);
        assert!(forget(&ada.scope, all.items[0].id).await);
        assert_eq!(list(&ada.scope).await.total, 1);
    }
}
