use domain::Code;
use serde_json::json;
use store::TokenPurpose;

use crate::world::{PlatformAudit, World};

fn row(route: &str, status: i64, user: Option<&str>, subject: Option<&str>) -> PlatformAudit {
    let own = |text: Option<&str>| text.map(ToOwned::to_owned);
    PlatformAudit { route: route.to_owned(), status: Some(status), user: own(user), subject: own(subject), detail: "null".to_owned() }
}

#[tokio::test]
async fn passwords_given_refused_changed_and_reset_leave_a_row_each() {
    for world in World::each().await {
        let ada = world.user("ada@example.com").await;
        let id = ada.to_string();
        let body = |password: &str| json!({"email": "ada@example.com", "password": password});
        let anyone = world.anonymous();
        let opened = anyone.post("/api/auth/sign-in/email", &body("correct horse")).await.is(200);
        anyone.post("/api/auth/sign-in/email", &body("secret-guess-8d1f")).await.refused(Code::InvalidCredentials);
        let nobody = json!({"email": "nobody@example.com", "password": "secret-guess-8d1f"});
        anyone.post("/api/auth/sign-in/email", &nobody).await.refused(Code::InvalidCredentials);
        let session = anyone.with_cookie(&super::token(&opened));
        let change = |from: &str| json!({"currentPassword": from, "newPassword": "secret-horse-8d1f"});
        session.post("/api/auth/change-password", &change("secret-guess-8d1f")).await.refused(Code::InvalidCredentials);
        session.post("/api/auth/change-password", &change("correct horse")).await.is(204);
        let link = world.account_token(ada, TokenPurpose::ResetPassword).await;
        anyone.post("/api/auth/reset-password", &json!({"token": link, "newPassword": "secret-horse-8d1f"})).await.is(204);

        let rows = world.platform_audit().await;
        let session = opened.text_at("/id");
        let (user, sign_in, change) = (Some(id.as_str()), "/api/auth/sign-in/email", "/api/auth/change-password");
        let expected = [
            row(sign_in, 200, user, Some(&session)),
            row(sign_in, 401, None, user),
            row(sign_in, 401, None, None),
            row(change, 401, user, user),
            row(change, 204, user, user),
            row("/api/auth/reset-password", 204, None, user),
        ];
        assert_eq!(rows, expected);
        assert!(!format!("{rows:?}").contains("8d1f") && !format!("{rows:?}").contains(&link), "{rows:?}");
    }
}
