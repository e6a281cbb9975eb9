//! The rules of pages, on every list that exists.

use serde_json::{Value, json};

use crate::walk::{Kind, Operation, Stage, Target, operations, path};
use crate::world::World;

#[tokio::test]
async fn every_list_has_the_same_envelope_and_bounds() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let ada = &stage.own;
    let lists: Vec<_> = operations().into_iter().filter(Operation::is_list).collect();
    assert!(lists.iter().filter(|list| !list.parameters.is_empty()).count() >= 5, "{lists:?}");
    for list in lists {
        let path = match Kind::of(&list) {
            Some(kind) => path(&list, &kind.make(&stage, Target::Own).await),
            None => list.path.clone(),
        };
        let path = path.as_str();
        let reply = ada.get(path).await.is(200);
        assert_eq!(reply.at("/object"), "list", "{reply}");
        assert_eq!((reply.at("/pagination/page"), reply.at("/pagination/pageSize")), (json!(1), json!(20)), "{reply}");
        let total = reply.at("/pagination/total").as_u64().unwrap();
        assert_eq!(reply.at("/pagination/totalPages"), total.div_ceil(20), "{reply}");
        for (query, pointer) in [
            ("page=0", "/page"),
            ("page=-1", "/page"),
            ("page=x", "/page"),
            ("page=", "/page"),
            ("page=1.5", "/page"),
            ("page=1&page=2", "/page"),
            ("page=99999999999999999999999", "/page"),
            ("pageSize=0", "/pageSize"),
            ("pageSize=101", "/pageSize"),
            ("pageSize=%2B5", "/pageSize"),
            ("pageSize=%D9%A3", "/pageSize"),
        ] {
            ada.get(&format!("{path}?{query}")).await.invalid_at(pointer);
        }
        let past = ada.get(&format!("{path}?page=1000000000&pageSize=100")).await.is(200);
        assert_eq!((past.at("/data"), past.at("/pagination/total")), (Value::Array(Vec::new()), json!(total)), "{past}");
    }
}

#[tokio::test]
async fn pages_join_without_gap_or_double_and_link_to_each_other() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    // All at one moment: the id breaks the tie.
    for number in 0..7 {
        ada.end_user(&format!("User{number}")).await;
    }
    let key = ada.full_key().await;
    let mut path = "/api/end-users?page=1&pageSize=3".to_owned();
    let mut ids = Vec::new();
    for page in 1..=3 {
        let reply = key.get(&path).await.is(200);
        assert_eq!(reply.at("/pagination"), json!({"page": page, "pageSize": 3, "total": 7, "totalPages": 3}));
        ids.extend(reply.at("/data").as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let links = reply.header("link").unwrap();
        assert_eq!(links.contains("rel=\"prev\""), page > 1, "{links}");
        assert_eq!(links.contains("rel=\"next\""), page < 3, "{links}");
        if page < 3 {
            path = links.split('>').next().unwrap().trim_start_matches('<').to_owned();
        }
    }
    let whole = key.get("/api/end-users").await.is(200);
    assert!(whole.header("link").is_none());
    let all: Vec<_> = whole.at("/data").as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, all);
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "newest first");
}
