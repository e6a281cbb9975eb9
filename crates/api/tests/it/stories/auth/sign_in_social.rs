use std::collections::HashMap;
use std::time::Duration;

use domain::Code;
use serde_json::{Value, json};

use crate::world::{Grant, Provider, Reply, World};

/// The clock of a world, in seconds since 1970, at its start.
const NOW: i64 = 1_795_262_400;

/// A login on its way: what the browser was sent with, and the cookie that it carries.
struct Way {
    provider: &'static str,
    asked: HashMap<String, String>,
    cookie: String,
}

async fn begin(world: &World, provider: &'static str, query: &str) -> Way {
    let reply = world.anonymous().get(&format!("/api/auth/sign-in/social/{provider}{query}")).await.is(302);
    let url: url::Url = reply.header("location").unwrap().parse().unwrap();
    let cookie = reply.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((asked["response_type"].as_str(), asked["code_challenge_method"].as_str()), ("code", "S256"));
    assert!(!url.as_str().contains("provider-secret"), "{url}");
    Way { provider, asked, cookie: cookie.split(';').next().unwrap().to_owned() }
}

fn grant(way: &Way, claims: Value, verified: bool) -> Grant {
    let emails = json!([
        {"email": "other@example.com", "primary": false, "verified": true},
        {"email": "Ada@Example.com", "primary": true, "verified": verified}
    ]);
    Grant { asked: way.asked.clone(), claims, account: json!({"id": 1001, "login": "ada", "name": null}), emails }
}

async fn come_back(world: &World, way: &Way, query: &str) -> Reply {
    world.anonymous().with("cookie", &way.cookie).get(&format!("/api/auth/callback/{}?{query}", way.provider)).await
}

/// The whole way, with everything right but what is given.
async fn sign_in(world: &World, there: &Provider, provider: &'static str, (claims, verified): (Value, bool)) -> Reply {
    let way = begin(world, provider, "?redirectTo=/agents%3Ftab%3Druns").await;
    let code = there.grant(grant(&way, claims, verified));
    come_back(world, &way, &format!("code={code}&state={}", way.asked["state"])).await
}

/// The session of the reply's cookies.
async fn session(world: &World, reply: &Reply) -> Reply {
    let cookies: Vec<_> = reply.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("appstrate_login=;") && cookie.contains("Max-Age=0")), "{cookies:?}");
    let session = cookies.iter().find(|cookie| cookie.starts_with("appstrate_session=")).expect("a session cookie");
    world.anonymous().with("cookie", session.split(';').next().unwrap()).get("/api/auth/get-session").await.is(200)
}

fn is_not_signed_in(reply: &Reply) {
    let cookies: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
    assert!(cookies.iter().all(|cookie| !cookie.to_str().unwrap().starts_with("appstrate_session")), "{cookies:?}");
}

#[tokio::test]
async fn a_new_person_gets_an_account_and_comes_back_to_it() {
    for provider in ["google", "github"] {
        let there = Provider::start(NOW).await;
        let world = World::with_logins(&there, |_| {}).await;
        let reply = sign_in(&world, &there, provider, (json!({}), true)).await.is(302);
        assert_eq!(reply.header("location"), Some("http://localhost:3000/agents?tab=runs"));
        let first = session(&world, &reply).await;
        assert_eq!((first.at("/user/email"), first.at("/user/emailVerified")), (json!("ada@example.com"), json!(true)));
        let moved = json!({"email": "moved@example.com", "email_verified": false});
        let again = session(&world, &sign_in(&world, &there, provider, (moved, true)).await.is(302)).await;
        assert_eq!(again.at("/user/id"), first.at("/user/id"), "the account at the provider counts, not its address");
        let password = json!({"email": "ada@example.com", "password": "correct horse"});
        world.anonymous().post("/api/auth/sign-in/email", &password).await.refused(Code::InvalidCredentials);
    }
}

#[tokio::test]
async fn equal_addresses_make_one_person_only_when_both_are_proven() {
    for provider in ["google", "github"] {
        let there = Provider::start(NOW).await;
        let world = World::with_logins(&there, |_| {}).await;
        let unproven_there = (json!({"email_verified": false}), false);
        let refused = sign_in(&world, &there, provider, unproven_there.clone()).await.refused(Code::LoginRefused);
        is_not_signed_in(&refused);

        let ada = world.user("ada@example.com").await;
        let refused = sign_in(&world, &there, provider, (json!({}), true)).await.refused(Code::AccountNotLinked);
        is_not_signed_in(&refused);

        let write = world.store.system().write(store::WriteContext::internal()).await.unwrap();
        write.users().set_email_verified(ada).await.unwrap();
        write.commit().await.unwrap();
        sign_in(&world, &there, provider, unproven_there).await.refused(Code::LoginRefused);
        let linked = session(&world, &sign_in(&world, &there, provider, (json!({}), true)).await.is(302)).await;
        assert_eq!(linked.at("/user/id"), ada.to_string());
    }
}

#[tokio::test]
async fn a_login_ends_in_the_browser_that_began_it_and_soon() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    let (mine, foreign) = (begin(&world, "github", "").await, begin(&world, "github", "").await);
    let google = begin(&world, "google", "").await;
    let code = there.grant(grant(&mine, json!({}), true));
    let (code, state) = (format!("code={code}"), format!("state={}", mine.asked["state"]));

    let without_cookie = world.anonymous().get(&format!("/api/auth/callback/github?{code}&{state}")).await;
    assert_eq!(without_cookie.refused(Code::InvalidRequest).at("/param"), "state");
    for (way, query) in [
        (&foreign, format!("{code}&{state}")),
        (&mine, format!("{code}&state={}", foreign.asked["state"])),
        (&mine, code.clone()),
        (&mine, format!("{code}&state=")),
        (
            &Way { provider: "github", asked: HashMap::new(), cookie: google.cookie.clone() },
            format!("{code}&state={}", google.asked["state"]),
        ),
        (&Way { provider: "github", asked: HashMap::new(), cookie: "appstrate_login=bm9uc2Vuc2U".to_owned() }, format!("{code}&{state}")),
    ] {
        is_not_signed_in(&come_back(&world, way, &query).await.refused(Code::InvalidRequest));
    }
    let mut changed = mine.cookie.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    changed.insert("appstrate_login=".len(), 'x');
    let changed = Way { provider: "github", asked: HashMap::new(), cookie: changed };
    come_back(&world, &changed, &format!("{code}&{state}")).await.refused(Code::InvalidRequest);

    world.clock.advance(Duration::from_mins(10));
    come_back(&world, &mine, &format!("{code}&{state}")).await.refused(Code::InvalidRequest);
    assert_eq!(there.key_reads(), 1, "the provider was asked for nothing but Google's keys at the beginning");
}

#[tokio::test]
async fn a_code_works_once_and_with_its_own_verifier() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    for (provider, refusal) in [("github", Code::LoginRefused), ("google", Code::LoginProviderFailed)] {
        let (mine, victim) = (begin(&world, provider, "").await, begin(&world, provider, "").await);
        let stolen = there.grant(grant(&victim, json!({}), true));
        is_not_signed_in(&come_back(&world, &mine, &format!("code={stolen}&state={}", mine.asked["state"])).await.refused(refusal));
        let code = there.grant(grant(&mine, json!({}), true));
        let query = format!("code={code}&state={}", mine.asked["state"]);
        come_back(&world, &mine, &query).await.is(302);
        come_back(&world, &mine, &query).await.refused(refusal);
    }
}

#[tokio::test]
async fn an_id_token_must_be_for_us_for_this_login_and_of_now() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    for wrong in [
        json!({"iss": "https://accounts.evil.example"}),
        json!({"aud": "another-client"}),
        json!({"aud": ["appstrate-client", "another-client"]}),
        json!({"aud": ["appstrate-client", "another-client"], "azp": "another-client"}),
        json!({"azp": "another-client"}),
        json!({"nonce": "of another login"}),
        json!({"nonce": null}),
        json!({"exp": NOW - 61}),
        json!({"exp": null}),
        json!({"iat": NOW + 3600}),
        json!({"sub": null}),
    ] {
        let reply = sign_in(&world, &there, "google", (wrong.clone(), true)).await;
        assert_eq!(reply.at("/code"), "login_provider_failed", "{wrong}: {reply}");
        is_not_signed_in(&reply);
    }
    sign_in(&world, &there, "google", (json!({"email": null}), true)).await.refused(Code::LoginRefused);
    sign_in(&world, &there, "google", (json!({"email_verified": "false"}), true)).await.refused(Code::LoginRefused);
    let right = json!({"aud": ["appstrate-client", "another-client"], "azp": "appstrate-client", "email_verified": "true"});
    sign_in(&world, &there, "google", (right, true)).await.is(302);
}

#[tokio::test]
async fn keys_are_read_once_an_hour_and_again_for_a_new_one() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    for _ in 0..3 {
        sign_in(&world, &there, "google", (json!({}), true)).await.is(302);
    }
    assert_eq!(there.key_reads(), 1);
    there.rotate_to_rsa("key-2");
    sign_in(&world, &there, "google", (json!({}), true)).await.refused(Code::LoginProviderFailed);
    assert_eq!(there.key_reads(), 1, "not within the minute");
    world.clock.advance(Duration::from_mins(1));
    there.set_time(NOW + 60);
    sign_in(&world, &there, "google", (json!({}), true)).await.is(302);
    assert_eq!(there.key_reads(), 2);
    there.sign_with_shared_secret();
    is_not_signed_in(&sign_in(&world, &there, "google", (json!({}), true)).await.refused(Code::LoginProviderFailed));
}

#[tokio::test]
async fn what_goes_wrong_is_shown_to_people_on_the_login_page() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    let way = begin(&world, "github", "").await;
    let denied = format!("error=access_denied&error_description=%3Cscript%3E&state={}", way.asked["state"]);
    let reply = come_back(&world, &way, &denied).await.refused(Code::LoginRefused);
    assert!(!reply.text.contains("script"), "{reply}");
    let browser = world.anonymous().with("cookie", &way.cookie).with("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let reply = browser.get(&format!("/api/auth/callback/github?{denied}")).await.is(302);
    let location = reply.header("location").unwrap();
    assert_eq!(location, "http://localhost:3000/login?error=login_refused");
    let page = world.anonymous().get(location.strip_prefix("http://localhost:3000").unwrap()).await.is(200);
    assert!(page.text.contains(Code::LoginRefused.title()), "{page}");
    is_not_signed_in(&reply);
}

#[tokio::test]
async fn a_provider_without_a_registration_reads_as_none() {
    let world = World::start().await;
    for provider in ["google", "github", "nonsense"] {
        world.anonymous().get(&format!("/api/auth/sign-in/social/{provider}")).await.refused(Code::NotFound);
        world.anonymous().get(&format!("/api/auth/callback/{provider}?code=x&state=y")).await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn a_login_ends_at_a_path_of_this_server() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    for bad in ["https://evil.example", "//evil.example", "/%5Cevil.example", "/%09/evil.example", "agents", "/..//evil.example"] {
        let reply = world.anonymous().get(&format!("/api/auth/sign-in/social/github?redirectTo={bad}")).await;
        reply.invalid_at("/redirectTo");
    }
    let long = "x".repeat(600);
    world.anonymous().get(&format!("/api/auth/sign-in/social/github?redirectTo=/{long}")).await.invalid_at("/redirectTo");
}

#[tokio::test]
async fn over_https_the_flow_is_in_a_host_cookie() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |options| options.app_url = "https://agents.example".parse().unwrap()).await;
    let reply = world.anonymous().get("/api/auth/sign-in/social/github").await.is(302);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-appstrate_login=") && cookie.contains("Secure"), "{cookie}");
    let url: url::Url = reply.header("location").unwrap().parse().unwrap();
    let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(asked["redirect_uri"], "https://agents.example/api/auth/callback/github");
}

#[tokio::test]
async fn a_provider_that_is_gone_is_said_to_be() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    let way = begin(&world, "github", "").await;
    drop(there);
    let query = format!("code=x&state={}", way.asked["state"]);
    let reply = come_back(&world, &way, &query).await.refused(Code::LoginProviderFailed);
    assert!(!reply.text.contains("127.0.0.1"), "{reply}");
    world.anonymous().get("/api/auth/sign-in/social/google").await.refused(Code::LoginProviderFailed);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_asked_seldom_and_what_was_read_still_counts() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    there.set_down(true);
    for _ in 0..3 {
        world.anonymous().get("/api/auth/sign-in/social/google").await.refused(Code::LoginProviderFailed);
    }
    assert_eq!(there.document_reads(), 1, "those who come at once need no answer of their own");
    there.set_down(false);
    world.clock.advance(Duration::from_secs(30));
    there.set_time(NOW + 30);
    sign_in(&world, &there, "google", (json!({}), true)).await.is(302);
    assert_eq!(there.document_reads(), 2);

    there.set_down(true);
    world.clock.advance(Duration::from_hours(1));
    there.set_time(NOW + 3_630);
    for _ in 0..3 {
        sign_in(&world, &there, "google", (json!({}), true)).await.is(302);
    }
    assert_eq!(there.document_reads(), 3);
    world.clock.advance(Duration::from_hours(24));
    world.anonymous().get("/api/auth/sign-in/social/google").await.refused(Code::LoginProviderFailed);
    assert_eq!(there.document_reads(), 4, "not for ever: keys are withdrawn by no longer being shown");
}

#[tokio::test]
async fn every_refused_login_leaves_a_row() {
    let there = Provider::start(NOW).await;
    let world = World::with_logins(&there, |_| {}).await;
    let way = begin(&world, "github", "").await;
    come_back(&world, &way, &format!("error=access_denied&state={}", way.asked["state"])).await.refused(Code::LoginRefused);
    come_back(&world, &way, "code=x&state=foreign").await.refused(Code::InvalidRequest);
    come_back(&world, &way, &format!("code=unknown&state={}", way.asked["state"])).await.refused(Code::LoginRefused);
    sign_in(&world, &there, "google", (json!({"nonce": "another"}), true)).await.refused(Code::LoginProviderFailed);
    sign_in(&world, &there, "google", (json!({"email_verified": false}), true)).await.refused(Code::LoginRefused);
    world.anonymous().get("/api/auth/callback/nonsense?code=x&state=y").await.refused(Code::NotFound);
    let rows = world.platform_audit().await;
    let told: Vec<(i64, Value)> = rows.iter().map(|row| (row.status.unwrap(), serde_json::from_str(&row.detail).unwrap())).collect();
    let row = |provider: &str, code: Code| (i64::from(code.status()), json!({"provider": provider, "code": code.as_str()}));
    let expected = [
        row("github", Code::LoginRefused),
        row("github", Code::InvalidRequest),
        row("github", Code::LoginRefused),
        row("google", Code::LoginProviderFailed),
        row("google", Code::LoginRefused),
    ];
    assert_eq!(told, expected);
}
