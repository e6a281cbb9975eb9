use serde_json::json;

use crate::stories::realtime::{carry_out, start};
use crate::walk::Stage;
use crate::world::World;

#[tokio::test]
async fn a_run_is_unread_from_its_end_on_for_those_whom_it_concerns() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let (grace, alan) = (stage.key.as_user(stage.grace), stage.key.as_user(stage.alan));
        let member = stage.own.member(domain::Role::Member).await;
        let hers = start(&grace, "@own/helper").await;
        let of_application = start(&stage.key, "@own/helper").await;
        let of_member = start(&member, "@own/helper").await;
        let inline = json!({"manifest": {"name": "@own/inline", "version": "1.0.0", "type": "agent", "schemaVersion": "1.3",
            "displayName": "Inline", "author": "own", "timeout": 60}, "prompt": "Be brief."});
        let inline = member.post("/api/runs/inline", &inline).await.is(202).text_at("/runId");
        let callers = [&grace, &alan, &member, &*stage.own, &stage.key, &stage.sibling_key, &stage.foreign_key];
        for caller in callers {
            assert_eq!(caller.get("/api/notifications/unread-count").await.is(200).json(), json!({"object": "unread_count", "count": 0}));
        }
        for run in [&hers, &of_application, &of_member, &inline] {
            carry_out(&world, run, &[]).await;
        }
        let mut seen = Vec::new();
        for caller in callers {
            let count = caller.get("/api/notifications/unread-count").await.is(200).at("/count");
            let counts = caller.get("/api/notifications/unread-counts-by-agent").await.is(200);
            assert_eq!(counts.at("/object"), "unread_counts");
            seen.push((count.as_u64().unwrap(), counts.at("/counts/@own~1helper").as_u64().unwrap_or(0)));
        }
        assert_eq!(seen, [(1, 1), (0, 0), (3, 2), (1, 1), (4, 3), (0, 0), (0, 0)]);
    }
}
