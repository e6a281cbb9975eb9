//! The pages that mails lead to: a person can finish on them, and opening them changes nothing.

use auth::mail::Mail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Code;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{Actor, Reply, World};

/// Opens the link of a mail, as a person and as a scanner of mail do.
async fn open(world: &World, mail: &Mail) -> Reply {
    let link = mail.text.split_whitespace().find(|word| word.starts_with("http://localhost:3000/")).unwrap_or_else(|| panic!("{mail:?}"));
    page(world, link.strip_prefix("http://localhost:3000").unwrap()).await
}

async fn page(world: &World, path: &str) -> Reply {
    seen_by(&world.anonymous(), path).await
}

/// A page as this visitor sees it, whose browser would run its script.
pub(in crate::stories) async fn seen_by(visitor: &Actor<'_>, path: &str) -> Reply {
    let page = visitor.get(path).await.is(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!((page.header("referrer-policy"), page.header("cache-control")), (Some("no-referrer"), Some("no-store")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
    for script in page.text.split("<script>").skip(1) {
        let script = script.split_once("</script>").unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
        assert!(policy.contains(&format!("script-src 'sha256-{hash}'")), "the browser would not run it: {policy}");
    }
    page
}

/// A text between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// Fills in the page's first form and presses its button, as its script does for a visitor without a session.
async fn submit(world: &World, page: &Reply, typed: Value) -> Reply {
    submit_by(&world.anonymous(), page, typed).await
}

/// As [`submit`], for this visitor, whose cookie is sent if the form says so.
pub(in crate::stories) async fn submit_by(visitor: &Actor<'_>, page: &Reply, typed: Value) -> Reply {
    let form = between(&page.text, "<form ", "</form>").unwrap_or_else(|| panic!("no form: {page}"));
    let mut body: Map<String, Value> = typed.as_object().unwrap().clone();
    for name in body.keys() {
        assert!(form.contains(&format!("<input name=\"{name}\"")), "there is nothing to type {name} into: {form}");
    }
    for input in form.split("<input ").skip(1).map(|input| input.split_once('>').unwrap().0) {
        let name = between(input, "name=\"", "\"").unwrap();
        if let Some(value) = between(input, "value=\"", "\"") {
            body.insert(name.to_owned(), json!(value));
        }
        assert!(body.contains_key(name), "nothing was typed into {name}: {form}");
    }
    let action = between(form, "action=\"", "\"").unwrap().trim_start_matches("../");
    let visitor = if form.split('>').next().unwrap().contains(" data-session") { visitor.clone() } else { visitor.without("cookie") };
    visitor.post(&format!("/{action}"), &body.into()).await
}

#[tokio::test]
async fn the_link_of_every_letter_leads_to_a_page_to_finish_on() {
    for world in World::each_with_mail().await {
        let sign_up = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
        world.anonymous().post("/api/auth/sign-up/email", &sign_up).await.is(201);
        let letter = world.mails().await.remove(0);
        open(&world, &letter).await;
        let confirm = open(&world, &letter).await;
        submit(&world, &confirm, json!({})).await.is(204);
        submit(&world, &confirm, json!({})).await.refused(Code::InvalidToken);

        world.anonymous().post("/api/auth/sign-up/email", &sign_up).await.is(201);
        let letter = world.mails().await.remove(0);
        assert_eq!(letter.subject, "You have an account already");
        open(&world, &letter).await;
        let choose = open(&world, &letter).await;
        submit(&world, &choose, json!({"newPassword": "battery staple"})).await.is(204);
        let sign_in = json!({"email": "ada@example.com", "password": "battery staple"});
        world.anonymous().post("/api/auth/sign-in/email", &sign_in).await.is(200);

        let letter = world.mails().await.remove(0);
        assert_eq!(letter.subject, "Your password was changed");
        let ask = open(&world, &letter).await;
        submit(&world, &ask, json!({"email": "ada@example.com"})).await.is(202);
        let letter = world.mails().await.remove(0);
        submit(&world, &open(&world, &letter).await, json!({"newPassword": "correct horse"})).await.is(204);
    }
}

#[tokio::test]
async fn a_broken_link_says_how_to_get_another() {
    let world = World::with_mail().await;
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for query in [
        String::new(),
        "?token=".to_owned(),
        format!("?token={hostile}"),
        "?token=a&token=b".to_owned(),
        format!("?token={}", "a".repeat(42)),
    ] {
        let verify = page(&world, &format!("/verify-email{query}")).await;
        assert!(verify.text.contains("The link is not whole") && !verify.text.contains("alert(1)"), "{verify}");
        submit(&world, &verify, json!({"email": "ada@example.com"})).await.is(202);
        let reset = page(&world, &format!("/reset-password{query}")).await;
        assert!(reset.text.contains("href=\"forgot-password\"") && !reset.text.contains("alert(1)"), "{reset}");
    }
    let without_mail = World::start().await;
    assert!(page(&without_mail, "/forgot-password").await.text.contains("This server sends no mail"));
}

#[tokio::test]
async fn a_refused_login_says_why_and_what_to_do() {
    let world = World::start().await;
    for code in [Code::LoginRefused, Code::AccountNotLinked, Code::InvalidRequest, Code::LoginProviderFailed] {
        let shown = page(&world, &format!("/login?error={}", code.as_str())).await;
        assert!(shown.text.contains(code.title()) && shown.text.contains(&format!("docs/errors/{}", code.slug())), "{shown}");
    }
    for query in ["", "?error=", "?error=nonsense", "?error=%3Cscript%3E", "?error=a&error=b"] {
        let shown = page(&world, &format!("/login{query}")).await;
        assert!(shown.text.contains("<h1>Sign in</h1>") && !shown.text.contains("nonsense"), "{shown}");
        assert_eq!(shown.text.matches("<script").count(), 1, "the page's own: {shown}");
    }
}

#[tokio::test]
async fn whoever_has_a_password_signs_in_on_the_page() {
    let world = World::with_mail().await;
    world.proven_user("ada@example.com").await;
    let shown = page(&world, "/login").await;
    assert!(shown.text.contains("href=\"forgot-password\"") && !shown.text.contains("Google"), "{shown}");
    submit(&world, &shown, json!({"email": "ada@example.com", "password": "a wrong guess"})).await.refused(Code::InvalidCredentials);
    let signed_in = submit(&world, &shown, json!({"email": "ada@example.com", "password": "correct horse"})).await.is(200);
    let session = super::token(&signed_in);
    world.anonymous().with_cookie(&session).get("/api/me").await.is(200);
    let another = world.anonymous().with("origin", "https://evil.example");
    submit_by(&another, &shown, json!({"email": "ada@example.com", "password": "correct horse"})).await.refused(Code::Forbidden);
}
