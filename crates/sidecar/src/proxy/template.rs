//! Slots: `{{field}}` in a target, a header or (on request) a body.

use domain::PackageName;
use url::Url;

use super::escape;
use super::provider::Provider;
use super::refusal::Refusal;
use crate::limits;

/// A target with its slots filled.
#[derive(Clone, Debug)]
pub struct Target {
    pub url: Url,
    /// The path for the record: slots stand as `~field~`, secrets are masked.
    pub shown_path: String,
    /// Whether a credential is part of the URL.
    pub has_credentials: bool,
}

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Slot(&'t str),
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = template;
    let mut from = 0;
    while let Some(open) = rest[from..].find("{{").map(|open| open + from) {
        let inner = rest[open + 2..].find("}}").map(|close| rest[open + 2..open + 2 + close].trim());
        match inner.filter(|name| is_field(name)) {
            Some(name) => {
                let close = open + 2 + rest[open + 2..].find("}}").expect("found above") + 2;
                found.push(Piece::Text(&rest[..open]));
                found.push(Piece::Slot(name));
                rest = &rest[close..];
                from = 0;
            }
            // Braces that are no slot stay; a slot may begin at the second of three.
            None => from = open + 1,
        }
    }
    found.push(Piece::Text(rest));
    found
}

fn is_field(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether the text has a slot.
pub fn has_slot(template: &str) -> bool {
    pieces(template).iter().any(|piece| matches!(piece, Piece::Slot(_)))
}

/// Fills slots with the values as they are.
pub fn fill(provider: &Provider, template: &str) -> Result<String, Refusal> {
    fill_with(provider, template, |_, _, value| Ok(value.to_owned()))
}

/// Fills slots, each value shaped by what stands before it.
fn fill_with(
    provider: &Provider,
    template: &str,
    mut shape: impl FnMut(&str, &str, &str) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Slot(field) => {
                let value = shape(&out, field, provider.slot(field)?)?;
                out.push_str(&value);
            }
        }
    }
    Ok(out)
}

/// Fills a body: inside JSON or a form the value is escaped for it.
pub fn fill_body(provider: &Provider, content_type: &str, body: &str) -> Result<String, Refusal> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    fill_with(provider, body, |_, _, value| {
        Ok(match kind.as_str() {
            "application/x-www-form-urlencoded" => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
            json if json == "application/json" || json.ends_with("+json") => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            _ => value.to_owned(),
        })
    })
}

/// Fills and parses a target. A value can be the beginning of the address, a part of its host, or text inside path or query; it
/// cannot change what part it stands in.
pub fn target(provider: &Provider, template: &str) -> Result<Target, Refusal> {
    if template.len() > limits::TARGET || template.chars().any(char::is_control) {
        return Err(Refusal::BadTarget);
    }
    let template = template.trim();
    let has_credentials = has_slot(template);
    let id = &provider.spec.id;
    let filled = fill_with(provider, template, |before, field, value| shape(id, before, field, value))?;
    if filled.len() > limits::TARGET || filled.chars().any(char::is_control) {
        return Err(Refusal::BadTarget);
    }
    let url = Url::parse(&filled).map_err(|_| Refusal::BadTarget)?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::BadTarget);
    }
    let shown = pieces(template).iter().fold(String::new(), |out, piece| match piece {
        Piece::Text(text) => out + text,
        Piece::Slot(field) => out + "~" + field + "~",
    });
    let shown_path = Url::parse(&shown).map_or_else(|_| url.path().to_owned(), |shown| shown.path().to_owned());
    let shown_path = provider.masker.mask_str(&shown_path);
    Ok(Target { url, shown_path, has_credentials })
}

fn shape(provider: &PackageName, before: &str, field: &str, value: &str) -> Result<String, Refusal> {
    if before.is_empty() {
        return Ok(value.to_owned());
    }
    let misfit = |place| Refusal::FieldShape { provider: provider.clone(), field: field.to_owned(), place };
    let Some((_, rest)) = before.split_once("://") else { return Err(misfit("the scheme of the address")) };
    if !rest.contains(['/', '?', '#', '\\']) {
        let fits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        return if fits { Ok(value.to_owned()) } else { Err(misfit("the host of the address")) };
    }
    if matches!(value, "." | "..") {
        return Err(misfit("the path of the address"));
    }
    let query = rest.contains('?');
    let plain = |byte: u8| escape::is_unreserved(byte) || !query && b":@!$'()*,=".contains(&byte);
    Ok(escape::encode(value, plain))
}

#[cfg(test)]
mod tests {
    use super::super::provider::tests::provider;
    use super::*;

    #[test]
    fn pieces_are_found_and_other_braces_stay() {
        assert_eq!(pieces("a{{b}}c"), [Piece::Text("a"), Piece::Slot("b"), Piece::Text("c")]);
        assert_eq!(pieces("{{ b }}"), [Piece::Text(""), Piece::Slot("b"), Piece::Text("")]);
        assert_eq!(pieces("{{{b}}}"), [Piece::Text("{"), Piece::Slot("b"), Piece::Text("}")]);
        for innocent in ["{{}}", "{{a b}}", "{{a", "}}{{", "{a}", "{{\"x\":1}}"] {
            assert!(!has_slot(innocent), "{innocent}");
        }
    }

    #[test]
    fn a_value_stays_in_its_part_of_the_address() {
        let provider =
            provider(&["https://*.example.com/*"], &[("sub", "acme"), ("token", "1:a/../?b#c&d"), ("evil", "x@evil.com"), ("up", "..")]);
        let target = |template: &str| target(&provider, template);
        assert_eq!(target("https://{{sub}}.example.com/").expect("fills").url.as_str(), "https://acme.example.com/");
        let filled = target("https://acme.example.com/bot{{token}}/send?t={{token}}").expect("fills");
        assert_eq!(filled.url.as_str(), "https://acme.example.com/bot1:a%2F..%2F%3Fb%23c%26d/send?t=1%3Aa%2F..%2F%3Fb%23c%26d");
        assert_eq!(filled.shown_path, "/bot~token~/send");
        assert!(matches!(target("https://{{evil}}.example.com/"), Err(Refusal::FieldShape { .. })));
        assert!(matches!(target("https://a.example.com/{{up}}/x"), Err(Refusal::FieldShape { .. })));
        assert!(matches!(target("{{sub}}://a.example.com/"), Ok(_) | Err(Refusal::BadTarget)));
        assert!(matches!(target("x{{sub}}://a"), Err(Refusal::FieldShape { .. })));
    }

    #[test]
    fn undeclared_fields_and_the_refresh_token_are_refused() {
        let provider = provider(&["https://api.example.com/*"], &[("token", "t")]);
        for field in ["refresh_token", "other", "access_token"] {
            let refused = target(&provider, &format!("https://api.example.com/?x={{{{{field}}}}}")).expect_err("refused");
            assert!(matches!(refused, Refusal::FieldNotUsable { .. }), "{field}: {refused}");
        }
    }

    #[test]
    fn control_characters_user_info_and_other_schemes_are_no_target() {
        let provider = provider(&["https://api.example.com/*"], &[]);
        for bad in [
            "https://api.example.com/\r\nX: y",
            "https://u:p@api.example.com/",
            "ftp://api.example.com/",
            "api.example.com",
            "",
            "https://",
        ] {
            assert!(matches!(target(&provider, bad), Err(Refusal::BadTarget)), "{bad}");
        }
    }

    #[test]
    fn a_body_value_is_escaped_for_its_format() {
        let provider = provider(&[], &[("token", "a\"b&c d")]);
        let fill = |kind| fill_body(&provider, kind, "{{token}}").expect("fills");
        assert_eq!(fill("application/json; charset=utf-8"), "a\\\"b&c d");
        assert_eq!(fill("application/x-www-form-urlencoded"), "a%22b%26c+d");
        assert_eq!(fill("text/plain"), "a\"b&c d");
    }
}
