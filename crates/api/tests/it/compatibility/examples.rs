//! Each rule, broken once; and what only adds.

use serde_json::{Value, json};

use super::rules::breaks;

fn document() -> Value {
    json!({
        "paths": {
            "/api/things": {
                "post": {
                    "operationId": "createThing",
                    "x-permission": "things:write",
                    "parameters": [
                        { "$ref": "#/components/parameters/Version" },
                        { "name": "mode", "in": "query", "required": false, "schema": { "type": "string", "enum": ["a", "b"] } }
                    ],
                    "requestBody": { "required": false, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewThing" } } } },
                    "responses": {
                        "201": {
                            "headers": { "Location": {} },
                            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } }
                        },
                        "404": { "content": { "application/problem+json": { "schema": {} } } }
                    }
                }
            }
        },
        "components": {
            "parameters": { "Version": { "name": "Appstrate-Version", "in": "header", "required": false, "schema": { "type": "string" } } },
            "schemas": {
                "NewThing": {
                    "type": "object", "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "maxLength": 100, "minLength": 1 },
                        "kind": { "type": "string", "enum": ["x", "y"] },
                        "note": { "type": ["string", "null"] }
                    }
                },
                "Thing": {
                    "type": "object", "required": ["id", "parts"],
                    "properties": {
                        "id": { "type": "string" },
                        "state": { "type": "string", "enum": ["on", "off"] },
                        "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } }
                    }
                }
            }
        }
    })
}

/// What the gate says of one change.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut new = document();
    change(&mut new);
    breaks(&document(), &new)
}

const POST: &str = "/paths/~1api~1things/post";

fn set(pointer: &str, value: Value) -> impl FnOnce(&mut Value) {
    move |document| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        match parent {
            Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
            _ => parent[name.replace("~1", "/")] = value,
        }
    }
}

fn remove(pointer: &str) -> impl FnOnce(&mut Value) {
    move |document| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        match parent {
            Value::Array(list) => drop(list.remove(name.parse().unwrap())),
            _ => drop(parent.as_object_mut().unwrap().remove(&name.replace("~1", "/")).unwrap()),
        }
    }
}

#[test]
fn what_stays_the_same_breaks_nothing() {
    assert_eq!(after(|_| {}), Vec::<String>::new());
}

#[test]
fn what_takes_something_away_breaks() {
    let new_thing = "/components/schemas/NewThing";
    let thing = "/components/schemas/Thing";
    let removed = [
        "/paths/~1api~1things".to_owned(),
        POST.to_owned(),
        format!("{POST}/parameters/0"),
        format!("{POST}/parameters/1"),
        format!("{POST}/parameters/1/schema/enum/0"),
        format!("{POST}/requestBody/content/application~1json"),
        format!("{POST}/responses/201"),
        format!("{POST}/responses/404"),
        format!("{POST}/responses/201/headers/Location"),
        format!("{POST}/responses/201/content/application~1json"),
        format!("{new_thing}/properties/note"),
        format!("{new_thing}/properties/kind/enum/1"),
        format!("{thing}/properties/id"),
        format!("{thing}/properties/state/enum/0"),
        format!("{thing}/required/0"),
        format!("{thing}/properties/parts/items"),
    ];
    for pointer in removed {
        assert!(!after(remove(&pointer)).is_empty(), "without {pointer}");
    }
}

#[test]
fn what_asks_for_more_or_gives_less_breaks() {
    let changed = [
        (format!("{POST}/operationId"), json!("makeThing")),
        (format!("{POST}/x-permission"), json!("things:admin")),
        (format!("{POST}/requestBody/required"), json!(true)),
        (format!("{POST}/parameters/1/required"), json!(true)),
        (format!("{POST}/responses/200"), json!({})),
        ("/components/parameters/Version/required".to_owned(), json!(true)),
        ("/components/schemas/NewThing/required".to_owned(), json!(["name", "kind"])),
        ("/components/schemas/NewThing/additionalProperties".to_owned(), json!(false)),
        ("/components/schemas/NewThing/properties/name/maxLength".to_owned(), json!(50)),
        ("/components/schemas/NewThing/properties/name/minLength".to_owned(), json!(2)),
        ("/components/schemas/NewThing/properties/name/pattern".to_owned(), json!("^a")),
        ("/components/schemas/NewThing/properties/name/format".to_owned(), json!("email")),
        ("/components/schemas/NewThing/properties/name/enum".to_owned(), json!(["only"])),
        ("/components/schemas/NewThing/properties/note/type".to_owned(), json!("string")),
        ("/components/schemas/Thing/properties/id/type".to_owned(), json!(["string", "null"])),
        ("/components/schemas/Thing/properties/id/type".to_owned(), json!("integer")),
        ("/components/schemas/Thing/properties/parts/items".to_owned(), json!({ "type": "string" })),
    ];
    for (pointer, value) in changed {
        assert!(!after(set(&pointer, value.clone())).is_empty(), "{pointer} = {value}");
    }
}

#[test]
fn what_only_adds_does_not_break() {
    let added = [
        ("/paths/~1api~1others".to_owned(), json!({ "get": { "operationId": "listOthers" } })),
        (format!("{POST}/responses/409"), json!({})),
        ("/components/schemas/NewThing/properties/extra".to_owned(), json!({ "type": "string" })),
        ("/components/schemas/NewThing/properties/kind/enum".to_owned(), json!(["x", "y", "z"])),
        ("/components/schemas/NewThing/properties/name/maxLength".to_owned(), json!(200)),
        ("/components/schemas/NewThing/properties/name/minLength".to_owned(), json!(0)),
        ("/components/schemas/NewThing/required".to_owned(), json!([])),
        ("/components/schemas/Thing/properties/extra".to_owned(), json!({ "type": "string" })),
        ("/components/schemas/Thing/properties/state/enum".to_owned(), json!(["on", "off", "broken"])),
        ("/components/schemas/Thing/required".to_owned(), json!(["id", "parts", "state"])),
    ];
    for (pointer, value) in added {
        assert_eq!(after(set(&pointer, value.clone())), Vec::<String>::new(), "{pointer} = {value}");
    }
}

#[test]
fn a_break_says_where_it_is() {
    let broken = after(remove("/components/schemas/Thing/properties/id"));
    assert_eq!(broken, ["POST /api/things, 201: the member id is gone"]);
}
