use super::*;

/// A provider whose declared template fields are its fields.
pub(crate) fn provider(patterns: &[&str], fields: &[(&str, &str)]) -> Provider {
    let spec = ProviderSpec { template_fields: fields.iter().map(|(name, _)| (*name).to_owned()).collect(), ..spec(patterns) };
    Provider::new(spec, secrets(fields)).0
}

pub(crate) fn secrets(fields: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect()
}

pub(crate) fn spec(patterns: &[&str]) -> ProviderSpec {
    ProviderSpec {
        id: "@acme/shop".parse().expect("name"),
        display_name: "Shop".to_owned(),
        connection: domain::ConnectionId::new(&domain::RandomIds),
        auth_mode: "api_key".to_owned(),
        authorized_uris: patterns.iter().map(|text| (*text).to_owned()).collect(),
        allow_all_uris: false,
        header_name: None,
        header_prefix: None,
        header_field: None,
        template_fields: Vec::new(),
        own_origin: None,
    }
}

fn injected(change: impl FnOnce(&mut ProviderSpec), fields: &[(&str, &str)]) -> Result<Option<(String, String)>, Refusal> {
    let mut spec = spec(&[]);
    change(&mut spec);
    let provider = Provider::new(spec, secrets(fields)).0;
    let text = |injection: &Injection| {
        assert!(injection.value.is_sensitive());
        (injection.name.to_string(), injection.value.to_str().expect("text").to_owned())
    };
    Ok(provider.injection()?.map(text))
}

#[test]
fn the_prefix_gets_one_space_where_it_is_a_word() {
    for (declared, expected) in [
        (Some("Bearer"), "Bearer key-1"),
        (Some("Bearer "), "Bearer key-1"),
        (Some("Token token="), "Token token=key-1"),
        (Some(""), "key-1"),
        (None, "key-1"),
        (Some("Zoho-oauthtoken"), "Zoho-oauthtoken key-1"),
    ] {
        let change = |spec: &mut ProviderSpec| {
            spec.header_name = Some("Authorization".to_owned());
            spec.header_prefix = declared.map(str::to_owned);
        };
        let expected = Some(("authorization".to_owned(), expected.to_owned()));
        assert_eq!(injected(change, &[("api_key", "key-1")]).expect("injects"), expected, "{declared:?}");
    }
}

#[test]
fn a_secret_that_begins_like_a_scheme_is_not_touched() {
    let change = |spec: &mut ProviderSpec| spec.header_name = Some("X-Api-Key".to_owned());
    assert_eq!(injected(change, &[("api_key", "BearerOfNews")]).expect("injects").expect("some").1, "BearerOfNews");
}

#[test]
fn basic_is_a_pair_in_base64() {
    let change = |spec: &mut ProviderSpec| spec.auth_mode = "basic".to_owned();
    let header = injected(change, &[("username", "Aladdin"), ("password", "open sesame")]).expect("injects").expect("some");
    assert_eq!(header, ("authorization".to_owned(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned()), "RFC 7617 §2");
}

#[test]
fn no_header_name_means_no_header_and_a_missing_or_unfit_field_is_an_error() {
    assert_eq!(injected(|_| {}, &[("api_key", "x")]).expect("nothing to inject"), None);
    let named = |spec: &mut ProviderSpec| spec.header_name = Some("X-Key".to_owned());
    assert!(matches!(injected(named, &[]), Err(Refusal::FieldMissing { .. })));
    let split = injected(named, &[("api_key", "a\r\nX-Evil: 1")]).expect_err("CR LF");
    assert!(matches!(split, Refusal::HeaderValue { .. }) && !split.to_string().contains("Evil"));
    let oauth = |spec: &mut ProviderSpec| {
        named(spec);
        spec.auth_mode = "oauth2".to_owned();
    };
    assert_eq!(injected(oauth, &[("access_token", "tok"), ("refresh_token", "r")]).expect("injects").expect("some").1, "tok");
}

#[test]
fn allow_all_uris_carries_credentials_home_only() {
    let mut open = spec(&["https://api.example.com/v1/*"]);
    open.allow_all_uris = true;
    open.own_origin = Some("https://shop.example.org/base".parse().expect("url"));
    let provider = Provider::new(open, BTreeMap::new()).0;
    for (url, carries) in [
        ("https://shop.example.org/anything", true),
        ("https://shop.example.org:8443/anything", false),
        ("http://shop.example.org/anything", false),
        ("https://api.example.com/v1/x", true),
        ("https://api.example.com/v2/x", false),
        ("https://evil.example/", false),
    ] {
        let url = url.parse().expect("url");
        assert!(provider.permits(&url), "{url}");
        assert_eq!(provider.may_carry(&url), carries, "{url}");
    }
}

#[test]
fn a_pattern_that_is_none_is_reported_and_matches_nothing() {
    let (provider, complaints) = Provider::new(spec(&["https://api.example.com*", "https://ok.example.com/*"]), BTreeMap::new());
    assert_eq!(complaints.len(), 1);
    assert!(!provider.permits(&"https://api.example.com.evil.tld/".parse().expect("url")));
    assert!(provider.permits(&"https://ok.example.com/x".parse().expect("url")));
}

#[test]
fn a_short_name_finds_one_provider_and_never_a_choice() {
    let named = |name: &str| ProviderSpec { id: name.parse().expect("name"), ..spec(&[]) };
    let (catalog, _) = Catalog::new(&[named("@a/gmail"), named("@a/slack"), named("@b/slack")], Vec::new());
    assert_eq!(catalog.find("gmail").expect("one").spec.id.as_str(), "@a/gmail");
    assert_eq!(catalog.find("@b/slack").expect("full").spec.id.as_str(), "@b/slack");
    assert!(catalog.find("slack").is_none() && catalog.find("@c/gmail").is_none() && catalog.find("").is_none());
}
