use domain::Code;
use serde_json::json;

use super::proxy;
use crate::walk::Stage;
use crate::world::World;

#[tokio::test]
async fn a_proxy_in_use_stays_until_it_is_let_go() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let ada = &stage.own;
        let id = proxy(ada, "exit").await;
        let path = format!("/api/proxies/{id}");

        ada.put("/api/proxies/default", &json!({"proxyId": id})).await.is(200);
        ada.delete(&path).await.refused(Code::ProxyInUse);
        ada.put("/api/proxies/default", &json!({"proxyId": null})).await.is(200);

        let package = format!("/api/applications/{}/packages/@own/helper", ada.app);
        ada.put(&package, &json!({"proxyId": id})).await.is(200);
        ada.delete(&path).await.refused(Code::ProxyInUse);
        ada.put(&package, &json!({"proxyId": null})).await.is(200);

        ada.delete(&path).await.is(204);
        ada.delete(&path).await.refused(Code::NotFound);
        ada.get(&path).await.refused(Code::NotFound);
    }
}
