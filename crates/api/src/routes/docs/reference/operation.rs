//! One operation: what it does, who may call it, what it takes and answers, and how to call it with curl.

use serde_json::Value;

use super::schema::{members, name_of};
use super::{escape, prose, put, resolve};

pub(super) fn render(page: &mut String, document: &Value, method: &str, path: &str, operation: &Value) {
    let text = |name: &str| operation[name].as_str().unwrap_or_default();
    put(
        page,
        format_args!(
            "<section id=\"{}\"><h3>{}</h3><p><code>{} {}</code></p><p>{}</p>",
            text("operationId"),
            escape(text("summary")),
            method.to_uppercase(),
            escape(path),
            prose(text("description"))
        ),
    );
    parameters(page, document, operation);
    if let Some((media_type, media)) = content(resolve(document, &operation["requestBody"])) {
        put(page, format_args!("<h4>Body, {media_type}</h4>"));
        members(page, document, &media["schema"]);
    }
    put(page, format_args!("<h4>Call</h4><pre>{}</pre>", escape(&curl(method, path, operation))));
    page.push_str("<h4>Answers</h4>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| status.starts_with(['2', '3']))
    {
        let response = resolve(document, response);
        put(page, format_args!("<p><b>{status}</b> {}", prose(response["description"].as_str().unwrap_or_default())));
        match content(response) {
            Some((media_type, media)) => {
                put(page, format_args!(" <code>{}</code>, {media_type}</p>", escape(&name_of(&media["schema"]))));
                if let Some(example) = media.get("example") {
                    put(page, format_args!("<pre>{}</pre>", escape(&pretty(example))));
                }
            }
            None => page.push_str("</p>"),
        }
    }
    let problems: Vec<_> =
        operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| status.starts_with(['4', '5'])).collect();
    page.push_str("<p>Problems: ");
    for (number, (status, response)) in problems.into_iter().enumerate() {
        let own = response["description"].as_str().map(|description| format!(" ({})", prose(description))).unwrap_or_default();
        put(page, format_args!("{}{status}{own}", if number > 0 { ", " } else { "" }));
    }
    page.push_str(".</p></section>");
}

/// Those that are the operation's own; the headers of every call are in the introduction.
fn parameters(page: &mut String, document: &Value, operation: &Value) {
    let own: Vec<&Value> =
        operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter.get("$ref").is_none()).collect();
    if own.is_empty() {
        return;
    }
    page.push_str("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>");
    for parameter in own {
        let text = |name: &str| parameter[name].as_str().unwrap_or_default();
        let kind = name_of(resolve(document, &parameter["schema"]));
        put(
            page,
            format_args!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(text("name")),
                text("in"),
                escape(&kind),
                prose(text("description"))
            ),
        );
    }
    page.push_str("</table>");
}

fn content(body: &Value) -> Option<(&String, &Value)> {
    body["content"].as_object()?.iter().next()
}

fn pretty(example: &Value) -> String {
    serde_json::to_string_pretty(example).expect("an example is JSON")
}

fn curl(method: &str, path: &str, operation: &Value) -> String {
    let takes_keys = operation["security"].as_array().into_iter().flatten().any(|scheme| scheme.get("apiKey").is_some());
    let credential = match operation["x-level"].as_str() {
        Some("organization" | "application") if takes_keys => " \\\n  -H \"Authorization: Bearer $KEY\"",
        Some("user") => " \\\n  -b cookies.txt",
        Some("organization") => " \\\n  -b cookies.txt -H \"X-Org-Id: $ORG\"",
        Some("application") => " \\\n  -b cookies.txt -H \"X-Org-Id: $ORG\" -H \"X-App-Id: $APP\"",
        _ => "",
    };
    let body = match content(&operation["requestBody"]) {
        Some((media_type, media)) if media_type == "application/json" => {
            format!(" \\\n  -H 'Content-Type: application/json' -d '{}'", media["example"])
        }
        Some(_) => " \\\n  -F file=@package.afps".to_owned(),
        None => String::new(),
    };
    let verb = if method == "get" { String::new() } else { format!(" -X {}", method.to_uppercase()) };
    format!("curl{verb} \"$APPSTRATE{path}\"{credential}{body}")
}
