//! The providers of a run, ready to be asked: compiled patterns, prepared injection, masker, cookies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{PackageName, Secret};
use http::{HeaderName, HeaderValue};
use url::{Host, Origin, Url};
use wire::control::Credentials;
use wire::run_spec::ProviderSpec;

use super::jar::Jar;
use super::mask::Masker;
use super::pattern::{UriPattern, climbs};
use super::refusal::Refusal;

/// Fields that name a place or an account and are no secret: masking them would make responses unreadable.
const PUBLIC_FIELDS: [&str; 18] = [
    "username",
    "email",
    "subdomain",
    "domain",
    "shop_domain",
    "site_url",
    "base_url",
    "api_url",
    "url",
    "host",
    "hostname",
    "account_name",
    "account_sid",
    "instance_url",
    "region",
    "tenant",
    "workspace",
    "secret_header_name",
];

/// One provider of the run with its credentials.
#[derive(Debug)]
pub struct Provider {
    pub spec: ProviderSpec,
    patterns: Vec<UriPattern>,
    own_origin: Option<Origin>,
    fields: BTreeMap<String, Secret>,
    injection: Result<Option<Injection>, Refusal>,
    pub masker: Arc<Masker>,
    pub jar: Mutex<Jar>,
}

/// The header that carries the credential.
#[derive(Clone, Debug)]
pub struct Injection {
    pub name: HeaderName,
    pub value: HeaderValue,
}

impl Provider {
    /// Prepares a provider. A pattern that cannot be compiled matches nothing and comes back as a complaint for the log.
    pub fn new(spec: ProviderSpec, fields: BTreeMap<String, Secret>) -> (Self, Vec<String>) {
        let mut complaints = Vec::new();
        let mut patterns = Vec::new();
        for text in &spec.authorized_uris {
            match UriPattern::parse(text) {
                Ok(pattern) => patterns.push(pattern),
                Err(problem) => complaints.push(format!("the authorized URI \"{text}\" of {} matches nothing: {problem}", spec.id)),
            }
        }
        let own_origin = spec.own_origin.as_ref().map(Url::origin).filter(Origin::is_tuple);
        let injection = injection_of(&spec, &fields);
        let masker = Arc::new(masker_of(&spec, &fields));
        (Self { spec, patterns, own_origin, fields, injection, masker, jar: Mutex::default() }, complaints)
    }

    /// Whether a request may go to the URL at all.
    pub fn permits(&self, url: &Url) -> bool {
        self.spec.allow_all_uris && !climbs(url.path()) || self.lists(url)
    }

    /// Whether credentials may go to the URL: a listed one, or the connection's own origin.
    pub fn may_carry(&self, url: &Url) -> bool {
        self.lists(url) || self.spec.allow_all_uris && self.own_origin.as_ref().is_some_and(|origin| *origin == url.origin())
    }

    /// Whether a pattern covers the URL.
    pub fn lists(&self, url: &Url) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(url))
    }

    /// Whether a pattern's host and port are these.
    pub fn covers_host(&self, host: &Host<&str>, port: u16) -> bool {
        self.patterns.iter().any(|pattern| pattern.covers_host(host, port))
    }

    /// The value of a field for a template slot. Only declared fields are given out, and `refresh_token` never.
    pub fn slot(&self, field: &str) -> Result<&str, Refusal> {
        let provider = || self.spec.id.clone();
        if field == "refresh_token" || !self.spec.template_fields.iter().any(|listed| listed == field) {
            let usable = self.spec.template_fields.iter().filter(|name| *name != "refresh_token").cloned().collect::<Vec<_>>();
            let usable = if usable.is_empty() { "none".to_owned() } else { usable.join(", ") };
            return Err(Refusal::FieldNotUsable { provider: provider(), field: field.to_owned(), usable });
        }
        let value = self.fields.get(field).ok_or_else(|| Refusal::FieldMissing { provider: provider(), field: field.to_owned() })?;
        Ok(value.expose())
    }

    /// The header that the sidecar adds by itself; `None` where the provider declares none.
    pub fn injection(&self) -> Result<Option<&Injection>, Refusal> {
        self.injection.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// The patterns as the package wrote them, for error texts.
    pub fn permitted(&self) -> String {
        if self.spec.authorized_uris.is_empty() { "nothing".to_owned() } else { self.spec.authorized_uris.join(", ") }
    }
}

fn injection_of(spec: &ProviderSpec, fields: &BTreeMap<String, Secret>) -> Result<Option<Injection>, Refusal> {
    let missing = |field: &str| Refusal::FieldMissing { provider: spec.id.clone(), field: field.to_owned() };
    let field = |name: &str| fields.get(name).map(|secret| secret.expose().as_str()).ok_or_else(|| missing(name));
    let (name, value) = if spec.auth_mode == "basic" {
        let pair = format!("{}:{}", field("username")?, field("password")?);
        (spec.header_name.as_deref().unwrap_or("Authorization"), format!("Basic {}", STANDARD.encode(pair)))
    } else {
        let Some(name) = spec.header_name.as_deref() else { return Ok(None) };
        let default = if spec.auth_mode == "oauth2" { "access_token" } else { "api_key" };
        let credential = field(spec.header_field.as_deref().unwrap_or(default))?;
        (name, format!("{}{credential}", prefix(spec.header_prefix.as_deref().unwrap_or_default())))
    };
    let bad = || Refusal::HeaderValue { name: name.to_owned() };
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(&value).map_err(|_| bad())?;
    value.set_sensitive(true);
    Ok(Some(Injection { name: header, value }))
}

/// A prefix that ends alphanumeric is a scheme and gets one space; `Token token=` is complete as it is.
fn prefix(declared: &str) -> String {
    let trimmed = declared.trim_end();
    if trimmed.ends_with(|letter: char| letter.is_ascii_alphanumeric()) { format!("{trimmed} ") } else { declared.to_owned() }
}

fn masker_of(spec: &ProviderSpec, fields: &BTreeMap<String, Secret>) -> Masker {
    let secret = |(name, value): (&String, &Secret)| (!PUBLIC_FIELDS.contains(&name.as_str())).then(|| value.expose().clone());
    let mut secrets: Vec<String> = fields.iter().filter_map(secret).collect();
    if spec.auth_mode == "basic"
        && let (Some(user), Some(password)) = (fields.get("username"), fields.get("password"))
    {
        // The password alone may be too short to search; the pair that travels need not be.
        secrets.push(format!("{}:{}", user.expose(), password.expose()));
    }
    Masker::new(secrets.iter().map(String::as_str))
}

/// All providers of a run.
#[derive(Debug, Default)]
pub struct Catalog {
    providers: BTreeMap<PackageName, Arc<Provider>>,
}

impl Catalog {
    /// Joins specs and credentials; complaints are for the log.
    pub fn new(specs: &[ProviderSpec], credentials: Vec<Credentials>) -> (Self, Vec<String>) {
        let mut credentials: BTreeMap<PackageName, _> = credentials.into_iter().map(|entry| (entry.provider, entry.fields)).collect();
        let mut complaints = Vec::new();
        let mut providers = BTreeMap::new();
        for spec in specs {
            let (provider, found) = Provider::new(spec.clone(), credentials.remove(&spec.id).unwrap_or_default());
            complaints.extend(found);
            providers.insert(spec.id.clone(), Arc::new(provider));
        }
        (Self { providers }, complaints)
    }

    /// A provider by `@scope/name`, or by `name` where only one scope has it.
    pub fn find(&self, name: &str) -> Option<&Arc<Provider>> {
        if let Ok(full) = name.parse::<PackageName>() {
            return self.providers.get(&full);
        }
        let mut same = self.providers.iter().filter(|(id, _)| id.name() == name).map(|(_, provider)| provider);
        same.next().filter(|_| same.next().is_none())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values()
    }

    /// The names, for error texts and `CONNECTED_PROVIDERS`.
    pub fn names(&self) -> Vec<String> {
        self.providers.keys().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
#[path = "provider_tests.rs"]
pub(crate) mod tests;
