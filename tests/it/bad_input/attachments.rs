//! Invalid attachments of messages.

use super::{Case, NAMES, long};
use crate::harness::calls::Call;
use crate::harness::scene::Scene;
use crate::harness::stored::twin;
use anteroom::domain::limits;
use serde_json::{Value, json};

pub fn spoilt_links(call: &Call) -> Vec<Case> {
    let blamed = |value: Value, code: &str| (call.with("links", value), format!("{code} links"));
    let one = |url: &str, name: &str| json!([{ "url": url, "name": name }]);
    let far = |length: usize| format!("https://example.org/{}", "x".repeat(length - 20));
    let fine = json!({ "url": "https://example.org/" });
    let mut cases = vec![
        blamed(one(&far(limits::LINK + 1), "a"), "TOO_LONG"),
        blamed(one("https://example.org/", &long(limits::NAME + 1)), "TOO_LONG"),
        blamed(Value::Array(vec![fine; limits::ATTACHMENTS]), "TOO_MANY"),
        (call.with("links", json!([{ "name": "a" }])), "BAD_USER_INPUT".to_owned()),
    ];
    let urls = ["", "example.org", "javascript:alert(1)", "data:text/html,x", "ftp://example.org/", "a\nb"];
    cases.extend(urls.map(|url| blamed(one(url, "a"), "INVALID")));
    cases.extend(NAMES.iter().map(|name| blamed(one("https://example.org/", name), "INVALID")));
    cases
}

pub fn spoilt_contacts(scene: &Scene, call: &Call) -> Vec<Case> {
    let case = |one: Value, code: &str| (call.with("contacts", json!([one])), code.to_owned());
    let (invalid, too_long) = ("INVALID contacts", "TOO_LONG contacts");
    let olga = &scene.olga.id;
    let mut cases = vec![
        case(json!({}), "BAD_USER_INPUT"),
        case(json!({ "actorId": olga, "card": { "address": "+1 555 0100" } }), "BAD_USER_INPUT"),
        case(json!({ "card": { "address": long(limits::ADDRESS + 1) } }), too_long),
        case(json!({ "card": { "address": "+1 555 0100", "name": long(limits::NAME + 1) } }), too_long),
        case(json!({ "actorId": twin(olga) }), "NOT_FOUND contacts"),
        case(json!({ "actorId": scene.room }), "NOT_FOUND contacts"),
        case(json!({ "actorId": "?" }), "BAD_USER_INPUT"),
    ];
    cases.extend(
        ["", " ", "a\nb", "a\0b"].map(|address| case(json!({ "card": { "address": address } }), invalid)),
    );
    cases.extend(
        NAMES.iter().map(|name| case(json!({ "card": { "address": "+1 555 0100", "name": name } }), invalid)),
    );
    let many = vec![json!({ "card": { "address": "+1 555 0100" } }); limits::ATTACHMENTS];
    cases.push((call.with("contacts", Value::Array(many)), "TOO_MANY contacts".to_owned()));
    cases
}
