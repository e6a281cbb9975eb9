//! Routes without credentials answer the same for an e-mail that has an account and for one that has none.

use serde_json::{Value, json};

use crate::world::{Reply, World};

/// Known and proven, known and not proven, unknown.
const EMAILS: [&str; 3] = ["proven@example.com", "known@example.com", "unknown@example.com"];

async fn with_accounts() -> World {
    let world = World::with_mail().await;
    world.proven_user(EMAILS[0]).await;
    world.user(EMAILS[1]).await;
    world
}

fn told(reply: &Reply, email: &str) -> (u16, String, Vec<String>) {
    (reply.status, reply.stable(&[email]), reply.stable_headers())
}

#[tokio::test]
async fn status_body_and_headers_are_the_same() {
    type Body = fn(&str) -> Value;
    let requests: [(&str, Body); 4] = [
        ("/api/auth/sign-in/email", |email| json!({"email": email, "password": "a wrong guess"})),
        ("/api/auth/forgot-password", |email| json!({ "email": email })),
        ("/api/auth/send-verification-email", |email| json!({ "email": email })),
        ("/api/auth/sign-up/email", |email| json!({"name": "Ada", "email": email, "password": "correct horse"})),
    ];
    for (path, body) in requests {
        let world = with_accounts().await;
        let mut seen = Vec::new();
        for email in EMAILS {
            let reply = world.anonymous().post(path, &body(email)).await;
            seen.push(told(&reply, email));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {seen:#?}");
    }
}

#[tokio::test]
async fn only_the_mailbox_is_told() {
    let world = with_accounts().await;
    for (path, expected) in [
        ("/api/auth/forgot-password", vec![(EMAILS[0], "Choose a new password"), (EMAILS[1], "Choose a new password")]),
        ("/api/auth/send-verification-email", vec![(EMAILS[1], "Confirm your e-mail address")]),
    ] {
        for email in EMAILS {
            world.anonymous().post(path, &json!({ "email": email })).await.is(202);
        }
        let mut sent: Vec<_> = world.mails().await.into_iter().map(|mail| (mail.to, mail.subject)).collect();
        sent.sort();
        let mut expected: Vec<_> = expected.into_iter().map(|(to, subject)| (to.to_owned(), subject.to_owned())).collect();
        expected.sort();
        assert_eq!(sent, expected, "{path}");
    }
}

/// The answer does not wait for the mail server, which is asked for accounts that exist only.
#[tokio::test]
async fn the_answer_comes_before_the_mail_goes() {
    let (world, mut sent) = (with_accounts().await, Vec::new());
    for email in EMAILS {
        world.anonymous().post("/api/auth/forgot-password", &json!({ "email": email })).await.is(202);
        sent.extend(world.mailbox.take());
        assert!(sent.iter().all(|mail| mail.to != email), "on one thread, nothing of this request but the answer has run by now");
    }
    sent.extend(world.mails().await);
    assert_eq!(sent.len(), 2);
}

/// What takes the time of a sign-in is the hash of its password. Crate `auth` proves that each of them costs the same.
#[tokio::test]
async fn a_refused_sign_in_computes_one_hash_with_and_without_an_account() {
    let world = with_accounts().await;
    let write = world.store.system().write(store::WriteContext::internal()).await.unwrap();
    let signs_in_with_others = store::NewUser {
        realm: auth::sign_up::PLATFORM_REALM.to_owned(),
        email: "others@example.com".to_owned(),
        name: "Ada".to_owned(),
        email_verified: true,
        password_hash: None,
    };
    write.users().create(signs_in_with_others).await.unwrap();
    write.commit().await.unwrap();
    for email in EMAILS.into_iter().chain(["others@example.com"]) {
        let before = world.passwords.checks_computed();
        let body = json!({"email": email, "password": "a wrong guess"});
        world.anonymous().post("/api/auth/sign-in/email", &body).await.refused(domain::Code::InvalidCredentials);
        assert_eq!(world.passwords.checks_computed() - before, 1, "{email}");
    }
}

/// Whoever signs up twice at once learns no more than whoever does so one after the other.
#[tokio::test]
async fn a_sign_up_that_another_overtakes_looks_as_if_it_came_later() {
    for world in World::each_with_mail().await {
        let first = world.store.system().write(store::WriteContext::internal()).await.unwrap();
        let new = store::NewUser {
            realm: auth::sign_up::PLATFORM_REALM.to_owned(),
            email: "ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            email_verified: false,
            password_hash: None,
        };
        first.users().create(new).await.unwrap();
        let body = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
        let anyone = world.anonymous();
        let overtakes = async {
            world.until_waiting(1).await;
            first.commit().await.unwrap();
        };
        let (reply, ()) = tokio::join!(anyone.post("/api/auth/sign-up/email", &body), overtakes);
        let reply = reply.is(201);
        let later = anyone.post("/api/auth/sign-up/email", &body).await.is(201);
        assert_eq!(told(&reply, "ada@example.com"), told(&later, "ada@example.com"));
        assert!(world.mails().await.iter().all(|mail| mail.subject == "You have an account already"));
    }
}
