//! What every operation shares, added to the generated document in one place: headers, problems, security, permission text.

use domain::Permission;
use domain::permission::KeyGrant;
use serde_json::{Map, Value, json};

/// The headers that no response lacks.
const ALWAYS: [&str; 4] = ["Request-Id", "Appstrate-Version", "RateLimit", "RateLimit-Policy"];

/// Completes the generated document.
///
/// # Panics
/// When the generator produced something other than an OpenAPI document.
pub fn decorate(mut document: Value) -> Value {
    document["info"] = json!({
        "title": "Appstrate API",
        "version": null,
        "description": "Run AI agents on behalf of your customers. One header, `Appstrate-User`, makes any call act as one of them.",
        "contact": { "name": "The maintainers of Appstrate", "url": env!("CARGO_PKG_REPOSITORY") },
        "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" }
    });
    document["servers"] = json!([{ "url": "/", "description": "This server" }]);
    let paths = document["paths"].as_object_mut().expect("a document has paths");
    for (path, item) in paths.iter_mut() {
        for (method, operation) in item.as_object_mut().expect("a path item is an object") {
            if let Some(operation) = operation.as_object_mut() {
                complete(path, method, operation);
            }
        }
    }
    let components = document["components"].as_object_mut().expect("a document has components");
    components.insert("securitySchemes".to_owned(), security_schemes());
    components.insert("headers".to_owned(), headers());
    let problem = "The request was refused or failed (RFC 9457). `code` is stable; `/docs/errors/<code>` says what to do.";
    let limited = "Too many requests (RFC 9457). Nothing was done; wait for the seconds in `Retry-After`.";
    let unauthorized = "The request has no credential, or one that is unknown, expired or revoked (RFC 9457).";
    let responses = json!({
        "Problem": problem_response(problem, &[]),
        "RateLimited": problem_response(limited, &["Retry-After"]),
        "Unauthorized": problem_response(unauthorized, &[CHALLENGE]),
        "WriteProblem": problem_response(problem, &[REPLAYED]),
        "WriteRateLimited": problem_response(limited, &["Retry-After", REPLAYED]),
        "WriteUnauthorized": problem_response(unauthorized, &[CHALLENGE, REPLAYED])
    });
    components.insert("responses".to_owned(), responses);
    let schemas = components.entry("schemas").or_insert_with(|| json!({})).as_object_mut().expect("schemas are a map");
    schemas.insert("Problem".to_owned(), problem_schema());
    name_items(schemas);
    document
}

/// The generator writes the items of a list out again; a reference says the same.
fn name_items(schemas: &mut Map<String, Value>) {
    let lists: Vec<String> = schemas.keys().filter(|name| name.starts_with("List_")).cloned().collect();
    for list in lists {
        let item = list.trim_start_matches("List_").to_owned();
        if schemas.contains_key(&item) {
            schemas[&list]["properties"]["data"]["items"] = json!({ "$ref": format!("#/components/schemas/{item}") });
        }
    }
}

/// How to authenticate.
const CHALLENGE: &str = "WWW-Authenticate";

/// Whether an answer was given before.
const REPLAYED: &str = "Idempotent-Replayed";

fn is_unsafe(method: &str) -> bool {
    method != "get"
}

/// Statuses that a client may meet besides those that the handler names.
fn problem_statuses(path: &str, method: &str, level: &str, has_body: bool) -> Vec<&'static str> {
    // Also without need of credentials: a wrong key is final everywhere, and another site's request with a cookie is refused.
    let mut statuses = vec!["400", "401", "403", "429", "500", "503"];
    if path.contains('{') || level == "application" {
        statuses.push("404");
    }
    if has_body {
        statuses.extend(["413", "415", "422"]);
    } else if method == "get" {
        statuses.push("422");
    }
    if is_unsafe(method) {
        statuses.push("409");
        if level != "none" {
            // An idempotency key that was used for something else, and a body that is too large to be compared.
            statuses.extend(["413", "422"]);
        }
    }
    statuses
}

fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let permission = operation.get("x-permission").and_then(Value::as_str).unwrap_or("public").to_owned();
    let level = operation.get("x-level").and_then(Value::as_str).unwrap_or("none").to_owned();
    // A handler that no key may call although a key may hold its permission says so by its own security.
    let takes_keys = matches!(level.as_str(), "organization" | "application")
        && !operation.contains_key("security")
        && Permission::parse(&permission).is_none_or(|permission| permission.rule().key != KeyGrant::Never);
    let sentence = match permission.as_str() {
        "public" => "No credentials needed.".to_owned(),
        "signed-in" => "For signed-in users; API keys cannot use it.".to_owned(),
        "member" => "For every member of the organization and its API keys.".to_owned(),
        name if takes_keys => format!("Needs the permission `{name}`."),
        name => format!("Needs the permission `{name}` and a session; API keys cannot use it."),
    };
    let class = operation.get("x-rate-limit").and_then(Value::as_str).unwrap_or_default();
    let limits = format!("Rate limits count it as `{class}`.");
    let description = operation.get("description").and_then(Value::as_str).unwrap_or_default();
    let keys = match (is_unsafe(method), level.as_str()) {
        (true, "none") => " `Idempotency-Key` is not honored: without credentials there is nobody whose repetition it could be.",
        _ => "",
    };
    operation.insert("description".to_owned(), json!(format!("{description}\n\n{sentence} {limits}{keys}").trim()));

    operation.insert(
        "security".to_owned(),
        match level.as_str() {
            "none" => json!([]),
            _ if takes_keys => json!([{ "apiKey": [] }, { "session": [] }]),
            _ => json!([{ "session": [] }]),
        },
    );
    let parameters = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut().expect("parameters are a list");
    parameters.push(json!({ "$ref": "#/components/parameters/AppstrateVersion" }));
    if is_unsafe(method) && level != "none" {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    if matches!(level.as_str(), "organization" | "application") {
        parameters.push(json!({ "$ref": "#/components/parameters/OrgId" }));
    }
    if takes_keys {
        parameters.push(json!({ "$ref": "#/components/parameters/AppstrateUser" }));
    }
    if level == "application" {
        parameters.push(json!({ "$ref": "#/components/parameters/AppId" }));
    }

    let has_body = operation.contains_key("requestBody");
    let responses = operation.entry("responses").or_insert_with(|| json!({})).as_object_mut().expect("responses are a map");
    for status in problem_statuses(path, method, &level, has_body) {
        let shared = match (status, is_unsafe(method)) {
            ("401", true) => "WriteUnauthorized",
            ("401", false) => "Unauthorized",
            ("429", true) => "WriteRateLimited",
            ("429", false) => "RateLimited",
            (_, true) => "WriteProblem",
            (_, false) => "Problem",
        };
        responses.entry(status).or_insert_with(|| json!({ "$ref": format!("#/components/responses/{shared}") }));
    }
    for (status, response) in responses.iter_mut() {
        let Some(response) = response.as_object_mut().filter(|response| !response.contains_key("$ref")) else { continue };
        if !status.starts_with(['2', '3']) {
            response.insert("content".to_owned(), problem_content());
        }
        let shared = response.entry("headers").or_insert_with(|| json!({})).as_object_mut().expect("headers are a map");
        let location = (status == "302" || (status == "201" && level != "none")).then_some("Location");
        let retry_after = (status == "429").then_some("Retry-After");
        let challenge = (status == "401").then_some(CHALLENGE);
        for name in ALWAYS.into_iter().chain(is_unsafe(method).then_some(REPLAYED)).chain(location).chain(retry_after).chain(challenge) {
            shared.insert(name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
        }
    }
}

/// Reusable parameters; merged into `components` by the document builder.
pub fn parameters() -> Value {
    let header = |name: &str, description: &str, pattern: &str, example: &str| json!({ "name": name, "in": "header", "required": false, "description": description, "schema": { "type": "string", "pattern": pattern }, "example": example });
    json!({
        "AppstrateVersion": header("Appstrate-Version", "The API version to speak, a date.", "^\\d{4}-\\d{2}-\\d{2}$", "2026-03-21"),
        "IdempotencyKey": idempotency_key(),
        "OrgId": header("X-Org-Id", "The organization. Required with a session; with a key it is known.", "^org_[0-9a-z]{26}$", "org_01jd9xq3e8f2t8v0k3m5n7p9r1"),
        "AppId": header("X-App-Id", "The application. Required with a session; with a key it is known.", "^app_[0-9a-z]{26}$", "app_01jd9xq3e8f2t8v0k3m5n7p9r1"),
        "AppstrateUser": header("Appstrate-User", "Act as this end-user. API keys only.", "^eu_[0-9a-z]{26}$", "eu_01jd9xq3e8f2t8v0k3m5n7p9r1"),
    })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Makes the request safe to repeat: for 24 hours the same key with the same query, version and body gets the first answer again, \
                        with `Idempotent-Replayed: true`. 1 to 255 visible ASCII characters, bare or as a structured-field string. Keys are separate for \
                        each user, API key and end-user, and for each method and path. Another query, version or body under the same key is 422 \
                        `idempotency_conflict`; a key whose first request is not answered yet is 409 `idempotency_in_progress`. Successes and refusals \
                        that would be the same again are kept; 401, 403, 409, 413, 415, 429 and 5xx are not.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 257 },
        "example": "01HX6RTQMXR3H7QKWSJF2E8VCG"
    })
}

fn security_schemes() -> Value {
    json!({
        "apiKey": { "type": "http", "scheme": "bearer", "bearerFormat": "ask_…", "description": "An API key of one application." },
        "session": { "type": "apiKey", "in": "cookie", "name": "appstrate_session", "description": "A signed-in session (`__Host-appstrate_session` over https), with `X-Org-Id`." }
    })
}

fn headers() -> Value {
    json!({
        "Request-Id": { "description": "The id of this request, for support.", "schema": { "type": "string", "pattern": "^req_[0-9a-z]{26}$" } },
        "Idempotent-Replayed": { "description": "`true`: this answer was given before, to the first request with the same `Idempotency-Key`. `false`: it is new, or the request had no key.", "schema": { "type": "string", "enum": ["true", "false"] } },
        "Location": { "description": "The path of what was created, or where a browser goes on.", "schema": { "type": "string", "format": "uri-reference" } },
        "Appstrate-Version": { "description": "The API version that answered.", "schema": { "type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$" } },
        "RateLimit": {
            "description": "How the tightest of the quotas stands that the request counted against: its size, what remains of it, and the seconds until all of it is there again.",
            "schema": { "type": "string", "pattern": "^\"[a-z-]+\";r=\\d+;t=\\d+$" }, "example": "\"run\";r=18;t=45"
        },
        "RateLimit-Policy": { "description": "The size of that quota, and its window in seconds.", "schema": { "type": "string", "pattern": "^\"[a-z-]+\";q=\\d+;w=\\d+$" }, "example": "\"run\";q=20;w=60" },
        "WWW-Authenticate": { "description": "How to authenticate: with an API key. A browser has its session cookie.", "schema": { "type": "string" }, "example": "Bearer realm=\"Appstrate\"" },
        "Retry-After": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 } }
    })
}

fn problem_content() -> Value {
    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
}

fn problem_response(description: &str, more: &[&str]) -> Value {
    let names = ALWAYS.iter().chain(more);
    let headers: Map<String, Value> =
        names.map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))).collect();
    json!({ "description": description, "headers": headers, "content": problem_content() })
}

fn problem_schema() -> Value {
    let codes: Vec<&str> = domain::Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance", "code", "requestId"],
        "properties": {
            "type": { "type": "string", "format": "uri", "examples": ["https://appstrate.dev/errors/validation-error"] },
            "title": { "type": "string", "examples": ["Validation Error"] },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "examples": [422] },
            "detail": { "type": "string" },
            "instance": { "type": "string", "description": "The path of the request." },
            "code": { "type": "string", "enum": codes },
            "requestId": { "type": "string" },
            "param": { "type": "string", "description": "The header or parameter at fault." },
            "retryAfter": { "type": "integer", "minimum": 0, "description": "Seconds to wait." },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "field", "code", "message"],
                    "properties": {
                        "pointer": { "type": "string", "description": "JSON Pointer into the body." },
                        "field": { "type": "string" },
                        "code": { "type": "string" },
                        "message": { "type": "string" }
                    }
                }
            }
        }
    })
}
