//! Two nodes on one database: what one commits, the other's readers see at once; and when the line between them breaks, soon.

use std::time::Duration;

use domain::{RunId, Secret};
use store::{AppScope, FollowRun, Followed, Nodes, RunEntry, Store, Subscription, Topic};
use wire::run_event::{LogLevel, RunEvent};

use crate::proxy::{Proxy, address};
use crate::runs::{a_running_run, append, finish};
use crate::world::{Engine, World, redis};

/// Longer than any wake takes, and shorter than the tests' own limit.
const PATIENCE: Duration = Duration::from_secs(20);

/// So slow that nothing here is due to it.
const NEVER: Duration = Duration::from_hours(1);

/// Every way in which nodes may be joined on this engine.
fn ways(world: &World) -> Vec<Nodes> {
    let database = (world.engine == Engine::Postgres).then_some(Nodes::Database);
    database.into_iter().chain(redis().map(|url| Nodes::Redis(Secret::new(url)))).collect()
}

async fn node(world: &World, nodes: &Nodes) -> Store {
    world
        .another_node_with(|options| {
            options.nodes = nodes.clone();
            options.look_every = NEVER;
        })
        .await
}

/// Waits until `to` hears `from`.
async fn introduce(from: &Store, to: &Store) {
    let topic = Topic::Cancel(RunId::new(&domain::RandomIds));
    let mut heard = to.live().subscribe(topic);
    // The first one comes with the connection or by it; so from then on the two are connected.
    while tokio::time::timeout(Duration::from_millis(50), heard.changed()).await.is_err() {
        from.live().wake(topic);
    }
}

async fn woken(subscription: &mut Subscription) {
    tokio::time::timeout(PATIENCE, subscription.changed()).await.expect("the wake crosses");
}

fn log(message: &str) -> RunEntry {
    RunEntry::Event(RunEvent::Log { level: LogLevel::Info, message: message.to_owned(), data: None })
}

async fn next(follow: &mut FollowRun) -> Option<Followed> {
    tokio::time::timeout(PATIENCE, follow.next()).await.expect("the follower goes on").unwrap()
}

/// The numbers of the run's events, to its end.
async fn numbers(follow: &mut FollowRun) -> Vec<i64> {
    let mut numbers = Vec::new();
    while let Some(followed) = next(follow).await {
        if let Followed::Event(record) = followed {
            numbers.push(record.seq);
        }
    }
    numbers
}

#[tokio::test]
async fn what_one_node_commits_wakes_the_readers_of_the_others_and_nobody_else() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (eve, as_eve) = world.end_user(&acme, "eve").await;
        let (bob, _) = world.end_user(&acme, "bob").await;
        for nodes in ways(&world) {
            let (near, far) = (node(&world, &nodes).await, node(&world, &nodes).await);
            introduce(&near, &far).await;
            let mut others = far.live().subscribe(Topic::EndUser(bob));
            let mut topics = [Topic::Application(acme.app), Topic::EndUser(eve), Topic::Jobs].map(|topic| far.live().subscribe(topic));
            let (claimed, _) = a_running_run(&near, &as_eve).await;
            for topic in &mut topics {
                woken(topic).await;
            }
            let mut cancel = far.live().subscribe(Topic::Cancel(claimed.spec.run));
            let write = near.write(&acme.scope, store::WriteContext::internal()).await.unwrap();
            write.runs().request_cancel(claimed.spec.run).await.unwrap();
            write.commit().await.unwrap();
            woken(&mut cancel).await;
            assert!(tokio::time::timeout(Duration::ZERO, others.changed()).await.is_err(), "{nodes:?}: not the other end-user's");
        }
    }
}

#[tokio::test]
async fn a_run_is_followed_on_one_node_while_another_carries_it_out() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for nodes in ways(&world) {
            let (near, far) = (node(&world, &nodes).await, node(&world, &nodes).await);
            introduce(&near, &far).await;
            let (claimed, mut seq) = a_running_run(&near, &acme.scope).await;
            let mut follow = far.follow_run(&acme.scope, claimed.spec.run, 0).await.unwrap().unwrap();
            let (numbers, ()) = tokio::join!(numbers(&mut follow), async {
                for count in 0..40 {
                    seq = append(&near, &claimed.lease, seq, &[log(&count.to_string()), log("more")]).await;
                }
                finish(&near, &claimed).await;
            });
            assert_eq!(numbers, (1..=83).collect::<Vec<_>>(), "{nodes:?}");
        }
    }
}

#[tokio::test]
async fn a_models_text_crosses_over_redis_to_those_who_want_it() {
    let Some(url) = redis() else { return };
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let nodes = Nodes::Redis(Secret::new(url.clone()));
        let (near, far) = (node(&world, &nodes).await, node(&world, &nodes).await);
        introduce(&near, &far).await;
        let (claimed, _) = a_running_run(&near, &acme.scope).await;
        let run = claimed.spec.run;
        let follower = async |store: &Store| store.follow_run(&acme.scope, run, 2).await.unwrap().unwrap().with_deltas();
        let (mut here, mut there) = (follower(&near).await, follower(&far).await);
        let ((), text) = tokio::join!(
            async {
                // Until the other node listens to this run, what is said is not heard.
                while tokio::time::timeout(Duration::from_millis(50), there.next()).await.is_err() {
                    near.pass_delta(run, ".");
                }
                near.pass_delta(run, " Grüße\n\nan alle");
            },
            async {
                let mut text = String::new();
                while !text.ends_with("alle") {
                    let Some(Followed::Delta(more)) = next(&mut here).await else { panic!("no event comes") };
                    text.push_str(&more);
                }
                text
            }
        );
        assert_eq!(text.trim_start_matches('.'), " Grüße\n\nan alle", "once: a node does not hear itself");
        let mut text = String::new();
        while !text.ends_with("alle") {
            let Some(Followed::Delta(more)) = next(&mut there).await else { panic!("no event comes") };
            text.push_str(&more);
        }
        assert_eq!(text.trim_start_matches('.'), " Grüße\n\nan alle");
    }
}

#[tokio::test]
async fn a_line_that_was_cut_comes_back_by_itself_and_nothing_is_missed() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for nodes in ways(&world) {
            let near = node(&world, &nodes).await;
            let (proxy, far) = if let Nodes::Redis(url) = &nodes {
                let proxy = Proxy::to(address(url.expose())).await;
                let through = Nodes::Redis(Secret::new(proxy.instead_of(url.expose())));
                let far = node(&world, &through).await;
                (proxy, far)
            } else {
                let proxy = Proxy::to(address(&world.url)).await;
                let change = |options: &mut store::Options| {
                    options.database_url = proxy.instead_of(&world.url).into();
                    options.nodes = Nodes::Database;
                    options.look_every = NEVER;
                };
                let far = world.another_node_with(change).await;
                (proxy, far)
            };
            introduce(&near, &far).await;
            let (claimed, seq) = a_running_run(&near, &acme.scope).await;
            let mut follow = far.follow_run(&acme.scope, claimed.spec.run, 2).await.unwrap().unwrap();
            // One step more than there is, so that the follower waits to be woken.
            assert!(tokio::time::timeout(Duration::from_millis(200), follow.next()).await.is_err());
            proxy.cut();
            let seq = append(&near, &claimed.lease, seq, &[log("while the line is away")]).await;
            let heard = loop {
                // The follower's own connection to PostgreSQL was cut as well.
                match tokio::time::timeout(PATIENCE, follow.next()).await.expect("the follower is woken") {
                    Ok(followed) => break followed,
                    Err(error) => assert!(matches!(error, store::StoreError::Unavailable { .. }), "{error:?}"),
                }
            };
            assert!(matches!(heard, Some(Followed::Event(record)) if record.seq == 3), "{nodes:?}");
            introduce(&near, &far).await;
            append(&near, &claimed.lease, seq, &[log("later")]).await;
            assert!(matches!(next(&mut follow).await, Some(Followed::Event(record)) if record.seq == 4), "{nodes:?}");
        }
    }
}

#[tokio::test]
async fn readers_that_nothing_wakes_look_by_themselves() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (eve, as_eve) = world.end_user(&acme, "eve").await;
        // Deaf to the other node.
        let far = world.another_node_with(|options| options.look_every = Duration::from_millis(30)).await;
        let (claimed, seq) = a_running_run(&world.store, &as_eve).await;
        // The first to come are woken by the first look in any case. Whoever comes later reads by itself what was there before.
        let mut topics = [Topic::Application(acme.app), Topic::EndUser(eve)].map(|topic| far.live().subscribe(topic));
        let mut follow = far.follow_run(&acme.scope, claimed.spec.run, 2).await.unwrap().unwrap();
        for topic in &mut topics {
            woken(topic).await;
        }
        let unheard = [log("unheard")];
        let (followed, _) = tokio::join!(next(&mut follow), append(&world.store, &claimed.lease, seq, &unheard));
        assert!(matches!(followed, Some(Followed::Event(record)) if record.seq == 3));
        for topic in &mut topics {
            woken(topic).await;
        }
    }
}

#[tokio::test]
async fn a_redis_that_is_not_there_stops_nobody_and_a_wrong_url_says_so() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        // Reserved, and refused at once.
        let lonely = node(&world, &Nodes::Redis(Secret::from("redis://127.0.0.1:1/"))).await;
        let (claimed, _) = a_running_run(&lonely, &acme.scope).await;
        let mut follow = lonely.follow_run(&acme.scope, claimed.spec.run, 0).await.unwrap().unwrap();
        finish(&lonely, &claimed).await;
        assert_eq!(numbers(&mut follow).await, [1, 2, 3]);
        lonely.close().await.unwrap();

        let mut options = store::Options::new(world.url.as_str(), std::env::temp_dir(), std::sync::Arc::new(crate::world::TestSealer));
        options.nodes = Nodes::Redis(Secret::from("http://canary@example.com"));
        let error = Store::connect(options).await.unwrap_err().to_string();
        assert!(error.contains("redis://") && !error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn scopes_do_not_cross_with_the_wakes() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let (_, as_eve) = world.end_user(&acme, "eve").await;
        let (claimed, _) = a_running_run(&world.store, &acme.scope).await;
        let strangers: [&AppScope; 2] = [&globex.scope, &as_eve];
        for scope in strangers {
            assert!(world.store.follow_run(scope, claimed.spec.run, 0).await.unwrap().is_none());
        }
        let mut follow = world.store.follow_run(&acme.scope, claimed.spec.run, 0).await.unwrap().unwrap();
        assert!(follow.look_again().await.unwrap());
    }
}
