use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn agent() -> Value {
    json!({
        "name": "@acme/refunds", "version": "1.2.3", "type": "agent", "schemaVersion": "1.3", "displayName": "Refunds", "author": "Acme",
        "dependencies": {
            "skills": {"@acme/tone": "^1"}, "tools": {"@appstrate/output": "*"}, "providers": {"@appstrate/gmail": ">=1.0.0 <2"}
        },
        "providersConfiguration": {"@appstrate/gmail": {"scopes": ["mail.read"], "x-note": 1}},
        "input": {
            "schema": {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]},
            "fileConstraints": {"file": {"accept": ".pdf", "maxSize": 1000}}, "uiHints": {"file": {"placeholder": "…"}}, "propertyOrder": ["file"]
        },
        "timeout": 90.5,
        "x-extension": {"kept": true}
    })
}

fn tool() -> Value {
    json!({
        "name": "@acme/adder", "version": "0.1.0", "type": "tool", "entrypoint": "src/index.ts",
        "tool": {"name": "add", "description": "Adds.", "inputSchema": {"type": "object", "properties": {"a": {"type": "number"}}}}
    })
}

fn provider() -> Value {
    json!({
        "name": "@acme/crm", "version": "1.0.0", "type": "provider",
        "definition": {
            "authMode": "api_key",
            "credentials": {"schema": {"type": "object", "properties": {"token": {"type": "string"}}}, "fieldName": "token"},
            "credentialTransform": {"template": "{{ token }}:X", "encoding": "base64"},
            "credentialHeaderName": "Authorization", "credentialHeaderPrefix": "Basic",
            "authorizedUris": ["https://api.acme.example/*"],
            "availableScopes": ["plain", {"value": "a", "label": "A"}],
            "x-own": 1
        },
        "setupGuide": {"callbackUrlHint": "here", "steps": [{"label": "Go", "url": "https://acme.example"}]}
    })
}

/// The errors as `pointer code` lines.
fn errors(value: Value) -> Vec<String> {
    match Manifest::from_value(value) {
        Ok(manifest) => panic!("accepted: {manifest:?}"),
        Err(errors) => errors.as_slice().iter().map(|error| format!("{} {}", error.pointer, error.code)).collect(),
    }
}

fn with(mut value: Value, pointer: &str, change: Value) -> Value {
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer below the top");
    value.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").insert(member.to_owned(), change);
    value
}

#[test]
fn an_agent_is_typed_and_keeps_what_it_does_not_know() {
    let manifest = Manifest::from_value(agent()).expect("valid");
    assert_eq!((manifest.name().as_str(), manifest.version().to_string().as_str()), ("@acme/refunds", "1.2.3"));
    assert_eq!((manifest.package_type(), manifest.display_name(), manifest.schema_version()), (PackageType::Agent, "Refunds", "1.3"));
    assert_eq!(manifest.raw()["x-extension"]["kept"], true);
    let needs: Vec<String> = manifest.dependencies().iter().map(|(kind, name, range)| format!("{kind} {name} {range}")).collect();
    assert_eq!(needs, ["skill @acme/tone ^1", "tool @appstrate/output *", "provider @appstrate/gmail >=1.0.0 <2"]);
    let agent = manifest.agent().expect("an agent");
    assert_eq!(agent.timeout(), Some(std::time::Duration::from_millis(90_500)));
    let gmail = "@appstrate/gmail".parse().expect("valid");
    assert_eq!(agent.required_scopes(&gmail), ["mail.read"]);
    assert_eq!(agent.providers_configuration[&gmail].rest["x-note"], 1);
    let input = agent.input.as_ref().expect("an input");
    assert_eq!(input.file_constraints["file"].max_size, Some(1000.0));
    assert_eq!(input.property_order, ["file"]);
    assert!(agent.output.is_none() && manifest.tool().is_none());
}

#[test]
fn bytes_are_kept_exactly() {
    let text = format!("\u{FEFF} {}", agent());
    let manifest = Manifest::parse(text.as_bytes()).expect("valid");
    assert_eq!(manifest.bytes(), text.trim_start_matches('\u{FEFF}').as_bytes());
    let again = Manifest::parse(Manifest::from_value(agent()).expect("valid").bytes()).expect("valid");
    assert_eq!(again, manifest);
}

#[test]
fn a_provider_is_typed() {
    let manifest = Manifest::from_value(provider()).expect("valid");
    let provider = manifest.provider().expect("a provider");
    let definition = &provider.definition;
    assert_eq!((definition.auth_mode, definition.header_field()), (AuthMode::ApiKey, Some("token")));
    assert_eq!(definition.header_prefix(), "Basic ");
    assert_eq!(definition.credential_fields(), ["token"]);
    assert_eq!(definition.available_scopes[0].label, "plain");
    assert_eq!(definition.rest["x-own"], 1);
    assert_eq!(Transform::slots(&definition.credential_transform.as_ref().expect("a transform").template), Ok(vec!["token"]));
    assert_eq!(manifest.display_name(), "crm");

    let oauth = with(
        provider_value(),
        "/definition",
        json!({
            "authMode": "oauth2", "oauth2": {"authorizationUrl": "https://a.example/auth", "tokenUrl": "https://a.example/token"}
        }),
    );
    let manifest = Manifest::from_value(oauth).expect("valid");
    let definition = &manifest.provider().expect("a provider").definition;
    let oauth2 = definition.oauth2.as_ref().expect("oauth2");
    assert_eq!(definition.header_field(), Some("access_token"));
    assert!(oauth2.pkce_enabled && oauth2.scope_separator == " " && oauth2.token_auth_method == TokenAuthMethod::ClientSecretPost);
    assert_eq!(oauth2.refresh_url(), &oauth2.token_url);
}

fn provider_value() -> Value {
    provider()
}

#[test]
fn every_error_is_reported_at_once() {
    let broken = json!({
        "name": "Acme/x", "version": "1", "type": "agent", "schemaVersion": "2.0", "displayName": "",
        "dependencies": {"tools": {"@appstrate/log": "not a range", "bad name": "^1", "@a/b": 3}},
        "input": {"schema": {"type": "string", "properties": {}}, "extra": 1},
        "output": {"schema": {"type": "object", "properties": {"a": {"type": "text"}}}},
        "timeout": 0
    });
    assert_eq!(
        errors(broken),
        [
            "/author required",
            "/dependencies/tools/@appstrate~1log invalid_range",
            "/dependencies/tools/@a~1b type",
            "/dependencies/tools/bad name property_name",
            "/displayName min_length",
            "/input/extra unknown_member",
            "/input/schema/type const",
            "/name pattern",
            "/output/schema/properties/a/type any_of",
            "/schemaVersion pattern",
            "/timeout exclusive_minimum",
            "/version invalid_version",
        ]
    );
}

#[test]
fn names_that_only_our_rules_refuse() {
    let long = format!("@{}/x", "a".repeat(65));
    assert_eq!(errors(with(agent(), "/name", json!(long))), ["/name invalid_name"]);
    assert_eq!(errors(with(agent(), "/dependencies/tools", json!({"@acme/refunds": "*", long: "*"}))).len(), 2);
}

#[test]
fn errors_of_tools_and_providers() {
    let broken = json!({
        "name": "@acme/x", "version": "1.0.0", "type": "tool", "entrypoint": "../index.ts",
        "tool": {"name": "a tool!", "description": "", "inputSchema": {"type": "array"}, "more": 1}
    });
    assert_eq!(
        errors(broken),
        [
            "/entrypoint invalid_path",
            "/tool/description min_length",
            "/tool/inputSchema/type const",
            "/tool/more unknown_member",
            "/tool/name pattern"
        ]
    );
    assert_eq!(errors(with(tool(), "/entrypoint", json!("index.py"))), ["/entrypoint invalid_path"]);

    let broken = json!({
        "name": "@acme/x", "version": "1.0.0", "type": "provider",
        "definition": {
            "authMode": "api_key",
            "oauth2": {"authorizationUrl": "javascript:alert(1)", "tokenUrl": "https://u:p@a.example/", "pkceEnabled": "yes", "defaultScopes": "a"},
            "credentials": {"schema": {"type": "object", "properties": {"Bad-Key": {}}}, "fieldName": "gone"},
            "credentialTransform": {"template": "{{other}}:{{Bad-Key}}", "encoding": "hex"},
            "credentialHeaderName": "Host", "credentialHeaderPrefix": "a\r\nX: y",
            "authorizedUris": ["https://a.example/*", "https://*.com/*", 3],
            "availableScopes": [{"label": "x"}]
        }
    });
    assert_eq!(
        errors(broken),
        [
            "/definition/authorizedUris/1 invalid_uri_pattern",
            "/definition/authorizedUris/2 type",
            "/definition/availableScopes/0/value required",
            "/definition/credentialHeaderName reserved_header",
            "/definition/credentialHeaderPrefix pattern",
            "/definition/credentialTransform/encoding enum",
            "/definition/credentialTransform/template invalid_template",
            "/definition/credentials/fieldName unknown_field",
            "/definition/credentials/schema/properties/Bad-Key property_name",
            "/definition/oauth2/authorizationUrl invalid_url",
            "/definition/oauth2/defaultScopes type",
            "/definition/oauth2/pkceEnabled type",
            "/definition/oauth2/tokenUrl invalid_url",
        ]
    );
    for (mode, missing) in [("oauth2", "oauth2"), ("oauth1", "oauth1"), ("basic", "credentials"), ("custom", "credentials")] {
        let bare = json!({"name": "@a/b", "version": "1.0.0", "type": "provider", "definition": {"authMode": mode}});
        assert_eq!(errors(bare), [format!("/definition/{missing} required")]);
    }
    let nameless = with(
        with(provider(), "/definition/credentials", json!({"schema": {"type": "object", "properties": {"key": {}}}})),
        "/definition/credentialTransform",
        json!({"template": "{{gone}}", "encoding": "base64"}),
    );
    assert_eq!(
        errors(nameless),
        ["/definition/credentialTransform/template unknown_field", "/definition/credentials/schema/properties unknown_field"]
    );
}

#[test]
fn what_is_no_manifest_at_all() {
    for (bytes, expected) in [
        (&b""[..], " invalid_json"),
        (b"{", " invalid_json"),
        (b"[]", " type"),
        (b"null", " type"),
        (b"{}", "/type required"),
        (b"{\"type\": \"plugin\"}", "/type enum"),
        (b"{\"type\": 1}", "/type enum"),
        (b"{\"type\": \"skill\", \"name\": \"\xff\"}", " invalid_json"),
    ] {
        let errors = Manifest::parse(bytes).expect_err("no manifest");
        let first = &errors.as_slice()[0];
        assert_eq!(format!("{} {}", first.pointer, first.code), expected);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(Manifest::parse(deep.as_bytes()).expect_err("too deep").as_slice()[0].code, "invalid_json");
    assert_eq!(Manifest::parse(&vec![b' '; MAX_MANIFEST_BYTES + 1]).expect_err("too large").as_slice()[0].code, "too_large");
}

#[test]
fn a_message_never_repeats_the_value() {
    let secret = "s3cret".repeat(1000);
    for pointer in ["/name", "/version", "/timeout", "/input", "/dependencies"] {
        let errors = Manifest::from_value(with(agent(), pointer, json!(secret))).expect_err("invalid");
        assert!(!errors.to_string().contains("s3cret"), "{pointer}: {errors}");
    }
}

/// Carried schemas run against untrusted values later, so these must be refused up front.
#[test]
fn schemas_that_would_hang_or_reach_out_are_refused() {
    let refused = |schema: Value| errors(with(agent(), "/input", json!({"schema": schema})));
    let object = |rest: Value| {
        let mut schema = json!({"type": "object", "properties": {}});
        schema.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        schema
    };
    for reference in ["https://evil.example/schema.json", "file:///etc/passwd", "other.json", "#/$defs/gone", "#anchor", "#/%24defs/a"] {
        let schema = object(json!({"properties": {"a": {"$ref": reference}}}));
        assert_eq!(refused(schema), ["/input/schema/properties/a/$ref unresolved_reference"], "{reference}");
    }
    for cycle in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}}}),
        json!({"properties": {"default": {"$ref": "#/properties/default"}}}),
    ] {
        assert_eq!(refused(object(cycle.clone())), ["/input/schema endless_reference"], "{cycle}");
    }
    let mut laughs = json!({"$defs": {"l0": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/l5"}}});
    for level in 1..6 {
        let below = json!({"$ref": format!("#/$defs/l{}", level - 1)});
        laughs["$defs"][format!("l{level}")] = json!({"allOf": vec![below; 10]});
    }
    assert_eq!(refused(object(laughs)), ["/input/schema schema_too_complex"]);
    let mut chain = json!({"$defs": {"c0": {"type": "string"}}});
    for link in 1..5000 {
        chain["$defs"][format!("c{link}")] = json!({"properties": {"x": {"$ref": format!("#/$defs/c{}", link - 1)}}});
    }
    assert_eq!(refused(object(chain)), ["/input/schema schema_too_complex"]);
    assert_eq!(refused(object(json!({"$dynamicRef": "#x"}))), ["/input/schema/$dynamicRef unsupported_reference"]);
    assert_eq!(
        refused(object(json!({"properties": {"a": {"$id": "https://a.example/", "$ref": "#"}}}))),
        ["/input/schema/properties/a/$id unsupported_reference"]
    );
    assert_eq!(refused(object(json!({"properties": {"a": {"pattern": "(?<x"}}}))), ["/input/schema/properties/a/pattern invalid_schema"]);
}

#[test]
fn a_schema_at_the_allowed_depth_runs_on_a_small_stack() {
    // A tree of references through 90 definitions and as deep within one value as allowed, against the deepest value JSON may hold.
    let mut schema = json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": {}});
    for link in 0..90 {
        let mut node = json!({"properties": {"x": {"$ref": format!("#/$defs/d{}", (link + 1) % 90)}}});
        for _ in 0..9 {
            node = json!({"allOf": [node]});
        }
        schema["$defs"][format!("d{link}")] = node;
    }
    let manifest = Manifest::from_value(with(agent(), "/input", json!({"schema": schema}))).expect("allowed");
    let schema = manifest.agent().and_then(|agent| agent.input.as_ref()).expect("an input").schema.clone();
    let value: Value = serde_json::from_str(&format!("{}1{}", "{\"x\":".repeat(120), "}".repeat(120))).expect("JSON");
    let outcome =
        std::thread::Builder::new().stack_size(2 << 20).spawn(move || schema::compile(&schema).expect("compiles").is_valid(&value));
    assert!(outcome.expect("a thread").join().expect("no overflow"));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,8}".prop_map(Value::from),
        Just(json!("#")),
        Just(json!("object")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            Just("$ref".to_owned()),
            Just("properties".to_owned()),
            Just("allOf".to_owned()),
            Just("schema".to_owned()),
            Just("type".to_owned()),
            "[a-z~/]{0,4}"
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Manifest::parse(&bytes).is_err());
    }

    /// Whatever one member becomes, the result is a manifest or errors whose pointers lie in or directly below the document.
    #[test]
    fn one_arbitrary_member(
        (base, pointer) in prop_oneof![
            prop_oneof![Just("/name"), Just("/version"), Just("/dependencies"), Just("/dependencies/tools"), Just("/input"), Just("/input/schema"), Just("/providersConfiguration"), Just("/timeout")].prop_map(|p| (agent(), p)),
            prop_oneof![Just("/entrypoint"), Just("/tool"), Just("/tool/inputSchema")].prop_map(|p| (tool(), p)),
            prop_oneof![Just("/definition"), Just("/definition/credentials"), Just("/definition/credentials/schema"), Just("/definition/oauth2"), Just("/definition/authorizedUris"), Just("/definition/availableScopes"), Just("/definition/credentialTransform"), Just("/setupGuide")].prop_map(|p| (provider(), p)),
        ],
        change in json_value(),
    ) {
        let value = with(base, pointer, change);
        match Manifest::from_value(value.clone()) {
            Ok(manifest) => prop_assert_eq!(Manifest::parse(manifest.bytes()).expect("valid again"), manifest),
            Err(errors) => for error in errors.as_slice() {
                prop_assert_ne!(&error.code, "invalid_shape", "the schemas must catch what the types refuse: {}", error);
                let parent = error.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                prop_assert!(value.pointer(&error.pointer).or_else(|| value.pointer(parent)).is_some(), "{}", error);
            },
        }
    }
}
