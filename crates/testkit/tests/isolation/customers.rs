//! Two end-users, the application itself and a second tenant run the same agent, each with its own key.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::system::{CUSTOMER_KEYS, Customer, MORE_KEYS, System, Tenant};

use crate::foreign::{self, Owned};
use crate::place::Place;
use crate::script::{self, Caller, flat};
use crate::streams;

/// Two tenants with the same agent. Caller 2 is the first tenant's application itself, caller 3 a customer of the second tenant.
pub(crate) struct World {
    pub acme: Tenant,
    pub rival: Tenant,
    pub agents: [String; 2],
    pub callers: [Caller; 4],
}

impl World {
    pub(crate) async fn new(system: &System) -> anyhow::Result<Self> {
        let (acme, rival) = (system.tenant("acme").await?, system.tenant("rival").await?);
        let (agent, provider) = script::publish(system, &acme).await?;
        let (rival_agent, rival_provider) = script::publish(system, &rival).await?;
        let application = Customer { id: String::new(), api: acme.api.clone() };
        let customers = [acme.customer("grace").await?, acme.customer("alan").await?, application, rival.customer("eve").await?];
        let keys = [CUSTOMER_KEYS[0], CUSTOMER_KEYS[1], MORE_KEYS[0], MORE_KEYS[1]];
        let mut number = 0;
        let callers = customers.map(|customer| {
            number += 1;
            Caller { customer, key: keys[number - 1], number: number - 1 }
        });
        for caller in &callers {
            let provider = if caller.number == 3 { &rival_provider } else { &provider };
            caller.customer.connect(provider, caller.key).await?;
        }
        Ok(Self { acme, rival, agents: [agent, rival_agent], callers })
    }

    pub(crate) fn agent(&self, caller: &Caller) -> &str {
        &self.agents[usize::from(caller.number == 3)]
    }

    pub(crate) async fn start(&self, caller: &Caller, name: &str) -> anyhow::Result<String> {
        caller.customer.start(self.agent(caller), &json!({ "order": caller.order(name) })).await
    }
}

#[tokio::test]
async fn customers_never_meet_on_sqlite() -> anyhow::Result<()> {
    story(Place::sqlite().await?).await
}

#[tokio::test]
async fn customers_never_meet_on_postgresql() -> anyhow::Result<()> {
    match Place::postgres().await? {
        Some(place) => story(place).await,
        None => Ok(()),
    }
}

async fn story(place: Place) -> anyhow::Result<()> {
    let system = &place.system;
    let world = World::new(system).await?;
    let mut runs: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for round in ["first", "second"] {
        let mut started = Vec::new();
        for caller in &world.callers {
            started.push((caller, world.start(caller, round).await?));
        }
        for (caller, run) in started {
            let ended = caller.customer.ended(&run).await?;
            has_its_own_result(caller, &ended);
            runs.entry(caller.number).or_default().push(run);
        }
    }

    every_request_carried_its_callers_key(system, &world);
    prompts_hold_what_is_their_own(system, &world);
    for caller in &world.callers {
        lists_hold_what_is_their_own(&world, caller, &runs).await?;
    }
    let owned = owned(&world, &runs).await?;
    foreign::ids_read_like_none(&world, &owned).await?;
    foreign::names_read_like_none(&world).await?;
    foreign::runs_are_not_cancelled(&world).await?;
    streams::never_cross(system, &world, &owned).await?;
    streams::resume_without_gap_or_duplicate(system, &world).await?;
    a_connection_goes_alone(&world, &owned).await?;
    place.end().await
}

fn has_its_own_result(caller: &Caller, run: &Value) {
    assert_eq!(run["status"], "success", "{run:#}");
    let result =
        json!({ "output": { "note": caller.mark("output") }, "report": caller.mark("report"), "state": { "note": caller.mark("state") } });
    assert_eq!(run["result"], result, "{run:#}");
    let end_user = if caller.customer.id.is_empty() { Value::Null } else { json!(caller.customer.id) };
    assert_eq!(run["endUserId"], end_user, "{run:#}");
}

fn every_request_carried_its_callers_key(system: &System, world: &World) {
    let received = system.customer_api.received();
    for caller in &world.callers {
        let own = format!("/orders/ord_{}_", caller.number);
        let keys: Vec<_> =
            received.iter().filter(|(path, _)| path.starts_with(&own)).map(|(_, headers)| headers["authorization"].clone()).collect();
        assert_eq!(keys, vec![format!("Bearer {}", caller.key); 2], "caller {}", caller.number);
    }
    assert_eq!(received.len(), world.callers.len() * 2);
}

/// Reads every request of every run as the model received it.
fn prompts_hold_what_is_their_own(system: &System, world: &World) {
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in system.model.received() {
        let text = flat(&request.body);
        seen.entry(script::order(&text).expect("every run is about an order")).or_default().push(text);
    }
    assert_eq!(seen.len(), 8);
    for caller in &world.callers {
        let remembered = caller.mark("memory");
        for (name, round) in [("first", 0), ("second", 1)] {
            let requests = &seen[&caller.order(name)];
            for text in requests {
                for mark in marks(text) {
                    let shared = mark == "memory-of-2" && caller.number < 2;
                    assert!(mark.ends_with(&format!("-of-{}", caller.number)) || shared, "a run of {} was shown {mark}", caller.number);
                }
            }
            let first = &requests[0];
            assert_eq!(first.contains(&caller.mark("state")), round == 1, "caller {}, {name}: {first}", caller.number);
            assert_eq!(first.contains(&remembered), round == 1, "caller {}, {name}: {first}", caller.number);
            assert!(round == 0 || caller.number > 1 || first.contains("memory-of-2"), "{first}");
            let histories = requests[2].matches(&caller.mark("output")).count();
            assert_eq!(histories >= 2, round == 1, "the histories of caller {}, {name}: {}", caller.number, requests[2]);
            let last = requests.last().expect("a run makes requests");
            assert!(last.contains(&caller.mark("file")) && last.contains("Nosuchfile"), "the workspace was not fresh: {last}");
        }
    }
}

/// Every `…-of-<number>` in a text.
fn marks(text: &str) -> BTreeSet<String> {
    let word = |letter: char| letter.is_ascii_alphanumeric();
    text.match_indices("-of-")
        .filter_map(|(at, dash)| {
            let before = text[..at].rsplit(|letter: char| !word(letter)).next()?;
            let after: String = text[at + dash.len()..].chars().take_while(char::is_ascii_digit).collect();
            (!after.is_empty()).then(|| format!("{before}-of-{after}"))
        })
        .collect()
}

async fn lists_hold_what_is_their_own(world: &World, caller: &Caller, runs: &BTreeMap<usize, Vec<String>>) -> anyhow::Result<()> {
    let api = &caller.customer.api;
    // The application itself sees what its end-users have, too; nobody sees another tenant.
    let visible: Vec<usize> = if caller.number == 2 { vec![0, 1, 2] } else { vec![caller.number] };

    let listed = api.get("/api/runs?pageSize=100").await?;
    let ids: BTreeSet<&str> = strings(&listed, "id");
    assert_eq!(ids, visible.iter().flat_map(|number| &runs[number]).map(String::as_str).collect());
    assert_eq!(listed["pagination"]["total"], ids.len());
    let agent = world.agent(caller);
    let memories = api.get(&format!("/api/agents/{agent}/memories")).await?;
    let remembered: Vec<String> = visible.iter().map(|number| format!("memory-of-{number}")).collect();
    assert_eq!(strings(&memories, "content"), remembered.iter().map(String::as_str).collect());
    let connections = api.get("/api/connections").await?;
    assert_eq!(connections["pagination"]["total"], visible.len(), "{connections:#}");
    if !caller.customer.id.is_empty() {
        let users = api.get("/api/end-users").await?;
        assert_eq!(strings(&users, "id"), [caller.customer.id.as_str()].into());
        assert_eq!(connections["data"][0]["owner"], "end_user");
    }
    for run in &runs[&caller.number] {
        let log = caller.customer.log(run).await?;
        let found = marks(&Value::Array(log.clone()).to_string());
        assert!(found.contains(&caller.mark("log")) && found.contains(&caller.mark("report")), "{found:?}");
        let own = |mark: &String| mark.ends_with(&format!("-of-{}", caller.number));
        assert!(found.iter().all(own), "{found:?}");
        assert!(log.iter().map(|line| line["seq"].as_u64()).eq((1..=log.len() as u64).map(Some)), "the log has no gap");
    }
    Ok(())
}

/// What each caller has, by id.
async fn owned(world: &World, runs: &BTreeMap<usize, Vec<String>>) -> anyhow::Result<Vec<Owned>> {
    let mut all = Vec::new();
    for caller in &world.callers {
        let api = &caller.customer.api;
        let memories = api.get(&format!("/api/agents/{}/memories", world.agent(caller))).await?;
        let connections = api.get("/api/connections").await?;
        let own = |list: &Value, is_own: &dyn Fn(&Value) -> bool| {
            let found = list["data"].as_array().and_then(|data| data.iter().find(|item| is_own(item)));
            found.and_then(|item| item["id"].as_str()).map(str::to_owned).context("every caller has one of each")
        };
        all.push(Owned {
            run: runs[&caller.number][0].clone(),
            memory: own(&memories, &|memory| memory["content"] == caller.mark("memory"))?,
            connection: own(&connections, &|connection| caller.number != 2 || connection["owner"] == "application")?,
        });
    }
    Ok(all)
}

async fn a_connection_goes_alone(world: &World, owned: &[Owned]) -> anyhow::Result<()> {
    let [grace, alan, ..] = &world.callers;
    let path = format!("/api/connections/{}", owned[grace.number].connection);
    let (status, _) = grace.customer.api.call(Method::DELETE, &path, None).await?;
    let (again, _) = grace.customer.api.call(Method::DELETE, &path, None).await?;
    assert_eq!((status, again), (204, 404));
    assert_eq!(grace.customer.api.get("/api/connections").await?["pagination"]["total"], 0);
    let left = alan.customer.api.get("/api/connections").await?;
    assert_eq!(strings(&left, "id"), [owned[alan.number].connection.as_str()].into());
    Ok(())
}

fn strings<'a>(list: &'a Value, field: &str) -> BTreeSet<&'a str> {
    list["data"].as_array().into_iter().flatten().filter_map(|item| item[field].as_str()).collect()
}
