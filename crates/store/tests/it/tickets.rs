//! Tickets: taken once, in time, and no longer than what is behind them.

use std::time::Duration;

use chrono::TimeDelta;
use store::{AppScope, NewStreamTicket, Store, StoreError, TicketMaker, WriteContext};

use crate::world::{World, hash};

async fn make(store: &Store, scope: &AppScope, name: &str, maker: TicketMaker) -> Result<(), StoreError> {
    let write = store.write(scope, WriteContext::internal()).await.unwrap();
    let expires_at = store.clock().now() + TimeDelta::seconds(60);
    write.stream_tickets().create(NewStreamTicket { token_hash: hash(name), maker, expires_at }).await?;
    write.commit().await
}

#[tokio::test]
async fn a_ticket_is_taken_once_on_any_node_and_says_who_made_it() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (eve, as_eve) = world.end_user(&acme, "eve").await;
        let (near, far) = (&world.store, &world.another_node().await);
        let key = TicketMaker::Key(acme.key);
        let session = TicketMaker::Session(acme.session.session.id);
        make(near, &as_eve, "of eve", key).await.unwrap();
        make(near, &acme.scope, "of a session", session).await.unwrap();

        let take = async |node: &Store| node.system().take_stream_ticket(&hash("of eve")).await;
        let taken = tokio::join!(take(near), take(far));
        let taken: Vec<_> = [taken.0.unwrap(), taken.1.unwrap()].into_iter().flatten().collect();
        assert_eq!(taken.len(), 1, "at the same time on two nodes");
        assert_eq!((taken[0].org, taken[0].app, taken[0].end_user, taken[0].maker), (acme.org, acme.app, Some(eve), key));
        let of_session = far.system().take_stream_ticket(&hash("of a session")).await.unwrap().unwrap();
        assert_eq!((of_session.end_user, of_session.maker), (None, session));
        assert!(near.system().take_stream_ticket(&hash("of a session")).await.unwrap().is_none());
        assert!(near.system().take_stream_ticket(&hash("never made")).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_ticket_ends_with_its_time_and_leaves_nothing_behind() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (_, as_eve) = world.end_user(&acme, "eve").await;
        let maker = TicketMaker::Key(acme.key);
        make(&world.store, &as_eve, "late", maker).await.unwrap();
        make(&world.store, &as_eve, "never used", maker).await.unwrap();
        world.clock.advance(Duration::from_mins(1));
        assert!(world.store.system().take_stream_ticket(&hash("late")).await.unwrap().is_none());
        world.clock.advance(Duration::from_hours(1));
        // Gone, so that its hash is free again.
        make(&world.store, &as_eve, "never used", maker).await.unwrap();
    }
}

#[tokio::test]
async fn a_ticket_ends_with_its_end_user_and_its_session() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (eve, as_eve) = world.end_user(&acme, "eve").await;
        let session = acme.session.session.id;
        make(&world.store, &as_eve, "of eve", TicketMaker::Key(acme.key)).await.unwrap();
        make(&world.store, &acme.scope, "of a session", TicketMaker::Session(session)).await.unwrap();
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(eve).await.unwrap());
        write.commit().await.unwrap();
        let write = world.store.system().write(WriteContext::internal()).await.unwrap();
        assert!(write.sessions().delete(session).await.unwrap());
        write.commit().await.unwrap();
        for name in ["of eve", "of a session"] {
            assert!(world.store.system().take_stream_ticket(&hash(name)).await.unwrap().is_none(), "{name}");
        }
        assert!(world.store.system().session_by_id(session).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn nobody_makes_a_ticket_of_another_applications_key() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let error = make(&world.store, &acme.scope, "stolen", TicketMaker::Key(globex.key)).await.unwrap_err();
        assert!(matches!(error, StoreError::Reference { .. }), "{error:?}");
        let login = world.store.system().key_by_id(acme.key, None).await.unwrap().unwrap();
        assert_eq!(login.app, acme.app);
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        assert!(write.api_keys().revoke(acme.key).await.unwrap());
        write.commit().await.unwrap();
        assert!(world.store.system().key_by_id(acme.key, None).await.unwrap().is_none());
    }
}
