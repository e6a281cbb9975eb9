use domain::Code;

use crate::world::World;

#[tokio::test]
async fn another_applications_end_user_reads_as_missing() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let staging = ada.application("Staging").await;
    let (sibling, foreign) = (ada.end_user_of(staging, "Sibling").await, bob.end_user("Foreign").await);
    for caller in [ada.full_key().await, ada.instead("x-app-id", ada.app.to_string())] {
        let mut seen = Vec::new();
        for id in
            [sibling.to_string(), foreign.to_string(), "eu_01jd9xq3e8f2t8v0k3m5n7p9r1".to_owned(), "eu_x".to_owned(), "run_1".to_owned()]
        {
            let reply = caller.get(&format!("/api/end-users/{id}")).await.refused(Code::NotFound);
            seen.push((reply.stable(&[&id]), reply.stable_headers()));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    }
}
