//! Invalid lists and compound values: pages, attributes, origins, products.

use super::{Case, NAMES, NOTES, long};
use crate::harness::calls::Call;
use anteroom::domain::limits;
use serde_json::{Value, json};

pub fn spoilt_pages(call: &Call, field: &str) -> Vec<Case> {
    let page = |url: &str, title: &str| json!({ "url": url, "title": title });
    let blamed = |value: Value, code: &str| (call.with(field, value), format!("{code} {field}"));
    let mut cases = vec![
        blamed(page(&long_url(limits::PAGE_URL + 1), ""), "TOO_LONG"),
        blamed(page("https://x.org/", &long(limits::NAME + 1)), "TOO_LONG"),
        blamed(page("https://x.org/", "a\nb"), "INVALID"),
        (call.with(field, json!({ "title": "No url" })), "BAD_USER_INPUT".to_owned()),
    ];
    let urls = ["", "example.org", "ftp://example.org/", "javascript:alert(1)", "https://x.org/a\nb"];
    cases.extend(urls.map(|url| blamed(page(url, "Title"), "INVALID")));
    cases
}

pub fn long_url(characters: usize) -> String {
    let start = "https://x.org/";
    format!("{start}{}", "ä".repeat(characters - start.len()))
}

pub fn spoilt_attributes(call: &Call) -> Vec<Case> {
    let one = |name: &str, value: &str| json!([{ "name": name, "value": value }]);
    let blamed = |value: Value, code: &str| (call.with("attributes", value), format!("{code} attributes"));
    let mut cases = vec![
        blamed(one(&long(limits::NAME + 1), ""), "TOO_LONG"),
        blamed(one("a", &long(limits::DETAIL + 1)), "TOO_LONG"),
        blamed(json!([{ "name": "a", "value": "b" }, { "name": "a", "value": "c" }]), "INVALID"),
        blamed(attributes(limits::ATTRIBUTES + 1), "TOO_MANY"),
        (call.with("attributes", json!([{ "name": "a" }])), "BAD_USER_INPUT".to_owned()),
    ];
    cases.extend(NAMES.iter().map(|name| blamed(one(name, "b"), "INVALID")));
    cases.extend(NOTES.iter().map(|value| blamed(one("a", value), "INVALID")));
    cases
}

pub fn spoilt_products(call: &Call) -> Vec<Case> {
    let one = |field: &str, value: Value| {
        let mut product = json!({ "externalId": "p", "name": "Pad" });
        product[field] = value;
        json!([product])
    };
    let blamed = |value: Value, code: &str| (call.with("products", value), format!("{code} products"));
    let bad = |value: Value| (call.with("products", value), "BAD_USER_INPUT".to_owned());
    let mut cases = vec![
        blamed(one("externalId", json!(long(limits::EXTERNAL_ID + 1))), "TOO_LONG"),
        blamed(one("name", json!(long(limits::NAME + 1))), "TOO_LONG"),
        blamed(one("description", json!(long(limits::DETAIL + 1))), "TOO_LONG"),
        blamed(one("category", json!(long(limits::NAME + 1))), "TOO_LONG"),
        blamed(one("productNumber", json!("a\nb")), "INVALID"),
        blamed(one("price", json!("0.00001")), "INVALID"),
        blamed(one("monthlyPrice", json!("1000000000000")), "INVALID"),
        blamed(one("quantity", json!(-1)), "INVALID"),
        blamed(one("monthlyQuantity", json!(limits::QUANTITY + 1)), "INVALID"),
        blamed(products(&["p", "p"]), "INVALID"),
        bad(json!([{ "name": "Pad" }])),
        bad(json!([null])),
    ];
    let many: Vec<_> = (0..=limits::PRODUCTS).map(|number| number.to_string()).collect();
    cases.push(blamed(products(&many), "TOO_MANY"));
    cases.extend(["", "1e3", "1,50", "ten"].map(|price| bad(one("price", json!(price)))));
    cases.push(bad(one("price", json!(0.1))));
    cases
}

pub fn products(ids: &[impl AsRef<str>]) -> Value {
    ids.iter().map(|id| json!({ "externalId": id.as_ref(), "name": "Pad" })).collect()
}

pub fn spoilt_origins(call: &Call, field: &str) -> Vec<Case> {
    let blamed = |value: Value, code: &str| (call.with(field, value), format!("{code} {field}"));
    let none = ["", "*", "null", "shop.example", "https://shop.example/", "https://*.example", "a\0b"];
    let mut cases: Vec<_> = none.map(|origin| blamed(json!([origin]), "INVALID")).into();
    let host = |letters: usize| format!("https://{}", "x.".repeat(letters));
    let many: Vec<_> = (0..=limits::ORIGINS).map(|number| format!("https://s{number}.example")).collect();
    cases.extend([
        blamed(json!([host(limits::ORIGIN)]), "INVALID"),
        blamed(json!(many), "TOO_MANY"),
        (call.with(field, json!([null])), "BAD_USER_INPUT".to_owned()),
        (call.with(field, json!([7])), "BAD_USER_INPUT".to_owned()),
    ]);
    cases
}

pub fn attributes(count: usize) -> Value {
    (0..count).map(|number| json!({ "name": format!("{number}"), "value": "" })).collect()
}
