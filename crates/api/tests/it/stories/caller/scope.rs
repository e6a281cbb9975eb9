use domain::Code;

use crate::world::World;

#[tokio::test]
async fn a_key_reaches_exactly_its_application() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let staging = ada.application("Staging").await;
    let key = ada.full_key().await;
    for path in ["/api/end-users", "/api/applications", "/api/auth/get-session", "/api/orgs"] {
        for app in [staging.to_string(), bob.app.to_string(), "app_x".to_owned(), String::new()] {
            let reply = key.with("x-app-id", &app).get(path).await.refused(Code::Forbidden);
            assert_eq!(reply.at("/param"), "X-App-Id");
        }
        for org in [bob.org.to_string(), "org_x".to_owned(), String::new()] {
            let reply = key.with("x-org-id", &org).get(path).await.refused(Code::Forbidden);
            assert_eq!(reply.at("/param"), "X-Org-Id");
        }
    }
    key.with("x-app-id", ada.app.to_string()).with("x-org-id", ada.org.to_string()).get("/api/end-users").await.is(200);
}

#[tokio::test]
async fn a_cookie_names_organization_and_application() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let reply = ada.without("x-app-id").get("/api/end-users").await.refused(Code::InvalidRequest);
    assert_eq!(reply.at("/param"), "X-App-Id");
    let reply = ada.without("x-org-id").get("/api/end-users").await.refused(Code::InvalidRequest);
    assert_eq!(reply.at("/param"), "X-Org-Id");
    ada.without("x-app-id").get("/api/applications").await.is(200);
}

#[tokio::test]
async fn a_foreign_application_reads_as_one_that_does_not_exist() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let mut seen = Vec::new();
    for app in [bob.app.to_string(), "app_01jd9xq3e8f2t8v0k3m5n7p9r1".to_owned(), "app_x".to_owned(), "nonsense".to_owned(), String::new()]
    {
        let reply = ada.instead("x-app-id", &app).get("/api/end-users").await.refused(Code::NotFound);
        seen.push((reply.stable(&[]), reply.stable_headers()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
}

#[tokio::test]
async fn a_foreign_organization_is_refused_as_one_that_does_not_exist() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let mut seen = Vec::new();
    for org in [bob.org.to_string(), "org_01jd9xq3e8f2t8v0k3m5n7p9r1".to_owned(), "org_x".to_owned(), String::new()] {
        let reply = ada.instead("x-org-id", &org).get("/api/end-users").await.refused(Code::Forbidden);
        seen.push((reply.stable(&[]), reply.stable_headers()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
}
