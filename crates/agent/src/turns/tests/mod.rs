//! Stories of whole runs. Time is paused: sleeps end as soon as nothing else can happen.

mod endings;
mod tools;
mod world;

/// The sidecar may spawn a run on any thread; this is checked by compiling it.
#[tokio::test(start_paused = true)]
async fn a_run_can_be_spawned() {
    let world = std::sync::Arc::new(world::World::new([world::says("hello")]));
    let outcome = tokio::spawn(async move { world.run().await }).await.expect("joins");
    assert_eq!(outcome.failure, None);
}
