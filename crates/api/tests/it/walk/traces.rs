//! Rows of the foreign tenant that no operation of the walk leaves.

use serde_json::{Value, json};
use store::{Claimed, IdempotencyKey, NewJob, WriteContext};

use super::stage::{CANARY, Stage};

impl Stage<'_> {
    /// A row in each table that [`Stage::settle`] does not reach.
    pub(super) async fn leave_traces(&self) {
        let scope = self.foreign.app_scope(self.foreign.app).await;
        let key = IdempotencyKey {
            key: CANARY.to_owned(),
            org: Some(scope.org()),
            app: Some(scope.app()),
            method: "POST".to_owned(),
            path: "/".to_owned(),
            fingerprint: [0; 32],
            principal: String::new(),
        };
        let store = &self.world.store;
        let Claimed::Fresh(claim) = store.claim(&key).await.unwrap() else { panic!("a key of its own") };
        let write = store.begin_write(&scope, WriteContext::internal().under(Some(claim))).await.unwrap().fresh().unwrap();
        write.enqueue(NewJob { kind: CANARY.to_owned(), subject: String::new(), payload: Value::Null, due_at: None }).await.unwrap();
        write.reply(200, None).await.unwrap();
        let exit = json!({"label": CANARY, "url": "http://proxy.example.com"});
        let exit = self.foreign.post("/api/proxies", &exit).await.is(201).text_at("/id");
        self.foreign.put("/api/proxies/default", &json!({"proxyId": exit})).await.is(200);
        let helper = format!("/api/applications/{}/packages/@canary/helper", self.foreign.app);
        self.foreign.put(&helper, &json!({"proxyId": exit})).await.is(200);
        self.foreign_key.as_user(self.foreign_end_user).post("/api/realtime/tickets", &json!({})).await.is(201);
        self.world.seal().await;
    }
}
