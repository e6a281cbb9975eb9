//! Runs that have ended and were not read.

use domain::{RunId, UserId};
use store::{AppScope, Store, WriteContext};

use super::{a_run, claim, create, finish, new_run};
use crate::world::World;

/// A run that has ended.
async fn ended(store: &Store, scope: &AppScope, agent: &str, user: Option<UserId>) -> RunId {
    let mut new = new_run(scope);
    new.spec.agent = agent.parse().unwrap();
    new.user = user;
    create(store, scope, &new).await;
    let claimed = claim(store).await;
    store.system().append_to_run(&claimed.lease, claimed.next_seq, &[super::started()]).await.unwrap();
    finish(store, &claimed).await;
    claimed.spec.run
}

async fn unread(store: &Store, scope: &AppScope) -> Vec<(String, u64)> {
    let counts = store.read(scope).await.unwrap().notifications().unread().await.unwrap();
    let mut counts: Vec<_> =
        counts.into_iter().map(|unread| (unread.agent.map_or("inline".to_owned(), |agent| agent.to_string()), unread.count)).collect();
    counts.sort();
    counts
}

fn counts<const N: usize>(counts: [(&str, u64); N]) -> Vec<(String, u64)> {
    counts.into_iter().map(|(agent, count)| (agent.to_owned(), count)).collect()
}

async fn mark(store: &Store, scope: &AppScope, run: RunId) -> bool {
    let write = store.write(scope, WriteContext::internal()).await.unwrap();
    let marked = write.notifications().mark(run).await.unwrap();
    write.commit().await.unwrap();
    marked
}

async fn mark_all(store: &Store, scope: &AppScope) -> u64 {
    let write = store.write(scope, WriteContext::internal()).await.unwrap();
    let marked = write.notifications().mark_all().await.unwrap();
    write.commit().await.unwrap();
    marked
}

#[tokio::test]
async fn everyone_counts_and_marks_what_concerns_them() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let ((_, as_eve), (_, as_bob)) = (world.end_user(&acme, "eve").await, world.end_user(&acme, "bob").await);
        let store = &world.store;
        let member = store.system().application_scope(&acme.org_scope, acme.app, &acme.session).await.unwrap().unwrap();
        let foreign = ended(store, &globex.scope, "@acme/one", None).await;
        let of_application = ended(store, &acme.scope, "@acme/one", None).await;
        let of_member = ended(store, &member, "@acme/one", Some(acme.owner)).await;
        let of_another = ended(store, &acme.scope, "@acme/two", Some(globex.owner)).await;
        let of_eve = ended(store, &as_eve, "@acme/two", None).await;
        let of_bob = ended(store, &as_bob, "@acme/two", None).await;
        let waiting = a_run(store, &as_eve).await.id;

        assert_eq!(unread(store, &as_eve).await, counts([("@acme/two", 1)]));
        assert_eq!(unread(store, &as_bob).await, counts([("@acme/two", 1)]));
        assert_eq!(unread(store, &member).await, counts([("@acme/one", 2)]));
        assert_eq!(unread(store, &acme.scope).await, counts([("@acme/one", 2), ("@acme/two", 3)]));

        for (scope, not_theirs) in [
            (&as_eve, vec![of_bob, of_application, of_member, of_another, foreign, waiting]),
            (&member, vec![of_eve, of_bob, of_another, foreign, waiting]),
            (&acme.scope, vec![foreign, waiting]),
        ] {
            for run in not_theirs {
                assert!(!mark(store, scope, run).await);
            }
        }
        assert_eq!(mark_all(store, &as_eve).await, 1);
        assert_eq!(mark_all(store, &as_eve).await, 0);
        assert_eq!(unread(store, &as_bob).await, counts([("@acme/two", 1)]), "nobody reads for another");
        assert!(mark(store, &member, of_application).await);
        assert!(!mark(store, &member, of_application).await, "read once");
        assert_eq!(mark_all(store, &member).await, 1);
        assert_eq!(unread(store, &acme.scope).await, counts([("@acme/two", 2)]));
        assert_eq!(mark_all(store, &acme.scope).await, 2);
        assert_eq!(unread(store, &globex.scope).await, counts([("@acme/one", 1)]));
    }
}
