//! Outbound proxies: what an address must be to be stored, where it is sealed, and the operator's own (`SYSTEM_PROXIES`).

use std::collections::BTreeSet;

use domain::{BuiltInProxy, ProxyId, Secret};
use net::policy::Refusal;
use net::proxy::InvalidProxy;
use net::{Client, OutboundProxy};
use serde::Deserialize;

use crate::vault::Where;

const LONGEST_LABEL: usize = 100;
/// The longest address that is stored, in bytes.
const LONGEST_URL: usize = 2048;

/// Why an address cannot be a proxy's. Never repeats a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyAddressError {
    #[error("must have at most {LONGEST_URL} bytes")]
    TooLong,
    #[error(transparent)]
    Invalid(#[from] InvalidProxy),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Reads an address, and refuses what leads inside as far as that can be told without DNS.
pub(crate) fn check(client: &Client, url: &Secret) -> Result<OutboundProxy, ProxyAddressError> {
    if url.expose().len() > LONGEST_URL {
        return Err(ProxyAddressError::TooLong);
    }
    let proxy = OutboundProxy::parse(url.expose())?;
    client.vet_proxy(&proxy)?;
    Ok(proxy)
}

/// Where the address of a stored proxy is sealed; `row` is its id.
pub fn place(row: &str) -> Where<'_> {
    Where { table: "proxies", column: "sealed", row }
}

/// The text of the row for [`place`].
pub fn row(id: ProxyId) -> String {
    id.to_string()
}

/// A proxy of the operator's.
#[derive(Clone, Debug)]
pub struct SystemProxy {
    pub id: BuiltInProxy,
    pub label: String,
    /// The address without its password.
    pub shown: String,
    pub url: Secret,
    pub enabled: bool,
}

/// The proxies of `SYSTEM_PROXIES`, in its order.
#[derive(Clone, Debug, Default)]
pub struct SystemProxies {
    all: Vec<SystemProxy>,
    default: Option<usize>,
}

/// Why `SYSTEM_PROXIES` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSystemProxies {
    // What the parser says may repeat a credential.
    #[error("must be a JSON list of {{\"id\", \"label\", \"url\", \"isDefault\"?, \"enabled\"?}} (line {line}, column {column})")]
    Json { line: usize, column: usize },
    #[error("entry {number}: {problem}")]
    Entry { number: usize, problem: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    id: String,
    label: String,
    url: Secret,
    #[serde(default)]
    is_default: bool,
    #[serde(default = "yes")]
    enabled: bool,
}

const fn yes() -> bool {
    true
}

impl SystemProxies {
    /// Reads the variable's value. The addresses are judged by the client's policy, like everybody's.
    pub fn parse(text: &Secret, client: &Client) -> Result<Self, InvalidSystemProxies> {
        let entries: Vec<Entry> = serde_json::from_str(text.expose())
            .map_err(|error| InvalidSystemProxies::Json { line: error.line(), column: error.column() })?;
        let mut proxies = Self::default();
        let mut seen = BTreeSet::new();
        for (at, entry) in entries.into_iter().enumerate() {
            let is_default = entry.is_default;
            let read = system_proxy(entry, client).and_then(|proxy| {
                if !seen.insert(proxy.id.clone()) {
                    return Err(format!("the id \"{}\" is given twice", proxy.id));
                }
                if is_default && proxies.default.is_some() {
                    return Err(format!("\"{}\" is a second default; only one can be", proxy.id));
                }
                if is_default && !proxy.enabled {
                    return Err(format!("\"{}\" is disabled and cannot be the default", proxy.id));
                }
                Ok(proxy)
            });
            let proxy = read.map_err(|problem| InvalidSystemProxies::Entry { number: at + 1, problem })?;
            proxies.all.push(proxy);
            if is_default {
                proxies.default = Some(at);
            }
        }
        Ok(proxies)
    }

    pub fn all(&self) -> &[SystemProxy] {
        &self.all
    }

    pub fn get(&self, id: &BuiltInProxy) -> Option<&SystemProxy> {
        self.all.iter().find(|proxy| proxy.id == *id)
    }

    /// The one that an organization without a default of its own goes through.
    pub fn default_proxy(&self) -> Option<&SystemProxy> {
        self.default.and_then(|at| self.all.get(at))
    }
}

fn system_proxy(entry: Entry, client: &Client) -> Result<SystemProxy, String> {
    let Entry { id, label, url, enabled, .. } = entry;
    let id: BuiltInProxy = id.parse().map_err(|_| {
        "the id must be 1 to 64 letters, digits, \".\", \"_\" and \"-\", and neither \"none\", \"default\" nor begin with \"prx_\""
            .to_owned()
    })?;
    if label.trim().is_empty() || label.chars().count() > LONGEST_LABEL || label.contains('\0') {
        return Err(format!("the label of \"{id}\" must have 1 to {LONGEST_LABEL} characters"));
    }
    let shown = match check(client, &url) {
        Ok(proxy) => proxy.masked(),
        Err(ProxyAddressError::Refused(refusal)) => {
            return Err(format!("the url of \"{id}\" is refused: {refusal}; OUTBOUND_ALLOW excepts it with proxies=host:port"));
        }
        Err(error) => return Err(format!("the url of \"{id}\" {error}")),
    };
    Ok(SystemProxy { id, label, shown, url, enabled })
}

#[cfg(test)]
mod tests {
    use net::{Options, OutboundAllow};

    use super::*;

    fn parse(text: &str) -> Result<SystemProxies, InvalidSystemProxies> {
        let client = Client::new(Options::new(OutboundAllow::parse("proxies=10.1.0.1:3128").expect("a list"))).expect("a client");
        SystemProxies::parse(&Secret::from(text), &client)
    }

    #[test]
    fn the_list_is_read_and_shows_no_password() {
        let text = r#"[{"id":"eu","label":"Europe","url":"http://ada:canary@proxy.example.com:8080"},
                       {"id":"office","label":"Office","url":"socks5://10.1.0.1:3128","isDefault":true},
                       {"id":"old","label":"Old","url":"https://old.example.com","enabled":false}]"#;
        let proxies = parse(text).expect("a list");
        assert_eq!(proxies.all().iter().map(|proxy| proxy.id.as_str()).collect::<Vec<_>>(), ["eu", "office", "old"]);
        assert_eq!(proxies.default_proxy().map(|proxy| proxy.id.as_str()), Some("office"));
        assert_eq!(
            proxies.get(&"eu".parse().expect("a name")).map(|proxy| proxy.shown.as_str()),
            Some("http://ada:***@proxy.example.com:8080")
        );
        assert!(!proxies.all()[2].enabled);
        assert!(!format!("{proxies:?}").contains("canary"));
        assert!(parse("[]").expect("a list").default_proxy().is_none());
    }

    #[test]
    fn what_is_wrong_is_named_without_any_credential() {
        let of = |id: &str, rest: &str| format!(r#"[{{"id":"{id}","label":"Exit",{rest}}}]"#);
        let url = r#""url":"http://ada:canary@proxy.example.com""#;
        for (text, part) in [
            ("{}".to_owned(), "JSON list"),
            (of("eu", r#""url":["canary"]"#), "JSON list"),
            (of("eu", &format!(r#"{url},"colour":"canary""#)), "JSON list"),
            (of("none", url), "neither"),
            (of("default", url), "neither"),
            (of("prx_1", url), "prx_"),
            (of("a b", url), "1 to 64"),
            (of("eu", r#""url":"ftp://ada:canary@proxy.example.com""#), "the url of \"eu\" must be"),
            (of("eu", r#""url":"http://ada:canary@10.0.0.1""#), "OUTBOUND_ALLOW"),
            (of("eu", r#""url":"http://ada:canary@localhost""#), "inner network"),
            (of("eu", &format!(r#"{url},"isDefault":true,"enabled":false"#)), "disabled"),
            (format!(r#"[{{"id":"eu","label":" ",{url}}}]"#), "label"),
            (format!(r#"[{{"id":"eu","label":"A",{url}}},{{"id":"eu","label":"B",{url}}}]"#), "entry 2: the id \"eu\" is given twice"),
            (
                format!(r#"[{{"id":"a","label":"A",{url},"isDefault":true}},{{"id":"b","label":"B",{url},"isDefault":true}}]"#),
                "second default",
            ),
        ] {
            let error = parse(&text).expect_err(&text).to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
