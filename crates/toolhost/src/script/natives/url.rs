//! `URL` and `URLSearchParams` on the `url` crate (WHATWG URL).

use rquickjs::Object;
use url::{Url, form_urlencoded, quirks};

use super::set;

pub(super) fn install(host: &Object<'_>) -> rquickjs::Result<()> {
    set(host, "parseUrl", |text: String, base: Option<String>| -> Option<Vec<String>> {
        let base = match base {
            Some(base) => Some(Url::parse(&base).ok()?),
            None => None,
        };
        Url::options().base_url(base.as_ref()).parse(&text).ok().map(|url| parts(&url))
    })?;
    set(host, "changeUrl", |href: String, part: String, value: String| -> Option<Vec<String>> { change(&href, &part, &value) })?;
    // Name, value, name, value, ….
    set(host, "parseForm", |text: String| -> Vec<String> {
        form_urlencoded::parse(text.as_bytes()).flat_map(|(name, value)| [name.into_owned(), value.into_owned()]).collect()
    })?;
    set(host, "serializeForm", |pairs: Vec<String>| -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))).finish()
    })
}

/// In the order in which `url.js` names them.
fn parts(url: &Url) -> Vec<String> {
    let origin = quirks::origin(url);
    let parts: [&str; 11] = [
        quirks::href(url),
        &origin,
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ];
    parts.map(str::to_owned).into()
}

/// `None` when a new `href` is no URL; other parts that do not fit leave the URL as it is.
fn change(href: &str, part: &str, value: &str) -> Option<Vec<String>> {
    let mut url = Url::parse(href).ok()?;
    let changed = match part {
        "href" => return Url::parse(value).ok().map(|url| parts(&url)),
        "protocol" => quirks::set_protocol(&mut url, value),
        "username" => quirks::set_username(&mut url, value),
        "password" => quirks::set_password(&mut url, value),
        "host" => quirks::set_host(&mut url, value),
        "hostname" => quirks::set_hostname(&mut url, value),
        "port" => quirks::set_port(&mut url, value),
        "pathname" => {
            quirks::set_pathname(&mut url, value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, value);
            Ok(())
        }
        _ => {
            quirks::set_hash(&mut url, value);
            Ok(())
        }
    };
    Some(if changed.is_ok() { parts(&url) } else { parts(&Url::parse(href).ok()?) })
}
