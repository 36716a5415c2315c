//! Facts of giosg's reports and of the data around a chat.

use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::world::{NOON, World, ids};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    chats_are_sorted_by_start_unless_asked_for_otherwise,
    a_page_is_25_unless_asked_for_and_at_most_100,
    attributes_are_names_and_values_in_order,
    a_log_entry_says_who_wrote_what_and_when,
    a_product_shows_all_its_fields,
);

async fn chats_are_sorted_by_start_unless_asked_for_otherwise(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    // Two of one moment, two of the next; they end in another order.
    let mut chats = Vec::new();
    for second in [0, 0, 1, 0] {
        world.pass(second);
        chats.push(world.chat(&vera).await);
    }
    for place in [3, 0, 2, 1] {
        world.pass(1);
        olga.done("endChat", "", json!({ "chatId": chats[place] })).await;
    }
    let list = async |arguments: &str| {
        let query = format!("{{ organization {{ chats{arguments} {{ nodes {{ id }} }} }} }}");
        let found = olga.query(&query, json!({})).await;
        let found = ids(&found["organization"]["chats"]["nodes"]);
        found.iter().map(|id| chats.iter().position(|chat| chat == id).expect("a chat")).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [0, 1, 2, 3], "of one moment by their ids");
    assert_eq!(list("(orderBy: { field: STARTED_AT, direction: ASC })").await, [0, 1, 2, 3]);
    assert_eq!(list("(orderBy: { field: STARTED_AT, direction: DESC })").await, [3, 2, 1, 0]);
    assert_eq!(list("(orderBy: { field: ENDED_AT, direction: ASC })").await, [3, 0, 2, 1]);
    assert_eq!(list("(orderBy: { field: ENDED_AT, direction: DESC })").await, [1, 2, 0, 3]);
    world.app.stop().await;
}

async fn a_page_is_25_unless_asked_for_and_at_most_100(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    for _ in 0..101 {
        world.chat(&vera).await;
    }
    let page = async |arguments: &str| {
        let query = format!(
            "{{ organization {{ chats{arguments} {{ totalCount nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage }} }} }} }}"
        );
        world.admin.ask(&query, json!({})).await
    };
    for (arguments, length, sides) in [
        ("", 25, (false, true)),
        ("(first: 100)", 100, (false, true)),
        ("(last: 100)", 100, (true, false)),
        ("(first: 1)", 1, (false, true)),
        ("(first: 0)", 0, (false, true)),
    ] {
        let answer = page(arguments).await;
        let chats = &answer["data"]["organization"]["chats"];
        let info = json!({ "hasPreviousPage": sides.0, "hasNextPage": sides.1 });
        assert_eq!(chats["nodes"].as_array().map(Vec::len), Some(length), "{arguments}");
        assert_eq!((&chats["totalCount"], &chats["pageInfo"]), (&json!(101), &info), "{arguments}");
    }
    for arguments in ["(first: 101)", "(last: 101)", "(first: -1)", "(first: 1, last: 1)"] {
        assert_eq!(error_code(&page(arguments).await), "BAD_USER_INPUT", "{arguments}");
    }
    world.app.stop().await;
}

async fn attributes_are_names_and_values_in_order(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let query = "query($id: ID!) { chat(id: $id) { visitor { attributes { name value } } } }";
    for attributes in [
        json!([{ "name": "plan", "value": "gold" }, { "name": "language", "value": "fi" }, { "name": "empty", "value": "" }]),
        json!([{ "name": "zebra", "value": "1" }, { "name": "ant", "value": "<b>2</b>" }]),
        json!([]),
    ] {
        let input = json!({ "externalId": "vera", "attributes": attributes });
        world.admin.done("upsertVisitor", "", input).await;
        let found = olga.query(query, json!({ "id": chat })).await;
        assert_eq!(found["chat"]["visitor"]["attributes"], attributes);
    }
    let twice = json!([{ "name": "a", "value": "1" }, { "name": "a", "value": "2" }]);
    let input = json!({ "externalId": "vera", "attributes": twice });
    assert_eq!(world.admin.refused("upsertVisitor", input).await, ["INVALID"]);
    world.app.stop().await;
}

async fn a_log_entry_says_who_wrote_what_and_when(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
    world.pass(1);
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Good morning" })).await;
    world.pass(1);
    olga.done("suggestMessage", "", json!({ "chatId": chat, "text": "How is it?" })).await;
    let query =
        "query($id: ID!) { chat(id: $id) { messages(last: 10, types: [MESSAGE, AUTOSUGGEST]) { nodes {
        createdAt type text senderName sender { __typename id } } } } }";
    let found = olga.query(query, json!({ "id": chat })).await["chat"]["messages"]["nodes"].clone();
    let entry = |second: i32, kind: &str, words: &str, name: &str, sender: Value| {
        json!({ "createdAt": format!("2026-11-20T12:00:0{second}.000Z"), "type": kind, "text": words,
            "senderName": name, "sender": sender })
    };
    let user = json!({ "__typename": "User", "id": olga.id });
    let visitor = json!({ "__typename": "Visitor", "id": vera.id });
    // A page from the end is the newest entries, in the order in which they were written.
    let expected = json!([
        entry(0, "MESSAGE", "Hello", "Visitor vera", visitor),
        entry(1, "MESSAGE", "Good morning", "Olga", user.clone()),
        entry(2, "AUTOSUGGEST", "How is it?", "Olga", user),
    ]);
    assert_eq!(found, expected);
    let newest = "query($id: ID!) { chat(id: $id) { messages(last: 1) { nodes { text } } } }";
    let found = olga.query(newest, json!({ "id": chat })).await;
    assert_eq!(found["chat"]["messages"]["nodes"], json!([{ "text": "How is it?" }]));
    world.app.stop().await;
}

async fn a_product_shows_all_its_fields(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let whole = json!({
        "externalId": "phone", "name": "Phone", "description": "Black\n64 GB", "category": "Phones",
        "productNumber": "P-1", "price": "499.90", "quantity": 2, "monthlyPrice": "19.95", "monthlyQuantity": 1,
        "stockBalance": 7,
    });
    let bare = json!({ "externalId": "case", "name": "Case" });
    let selection = "shoppingCart { products(includeDeleted: true) { id externalId name description category productNumber
        price quantity monthlyPrice monthlyQuantity stockBalance addedAt deletedAt } }";
    let upsert = async |products: Value| {
        let input =
            json!({ "visitorId": vera.id, "externalId": "c", "currency": "EUR", "products": products });
        let mut cart =
            world.admin.done("upsertShoppingCart", selection, input).await["shoppingCart"]["products"]
                .clone();
        for product in cart.as_array_mut().expect("products") {
            let id = product.as_object_mut().expect("a product").remove("id");
            assert!(id.is_some_and(|id| id.is_string()));
        }
        cart
    };
    let shown = |given: &Value, added: &str, deleted: Value| {
        let mut product = json!({ "description": null, "category": null, "productNumber": null, "price": null,
            "quantity": null, "monthlyPrice": null, "monthlyQuantity": null, "stockBalance": null,
            "addedAt": added, "deletedAt": deleted });
        for (name, value) in given.as_object().expect("a product") {
            product[name] = value.clone();
        }
        product
    };
    let both = upsert(json!([whole, bare])).await;
    assert_eq!(both, json!([shown(&whole, NOON, Value::Null), shown(&bare, NOON, Value::Null)]));
    world.pass(60);
    let one = upsert(json!([whole])).await;
    let minute = json!("2026-11-20T12:01:00.000Z");
    assert_eq!(one, json!([shown(&whole, NOON, Value::Null), shown(&bare, NOON, minute)]));
    world.app.stop().await;
}

#[test]
fn every_json_sample_of_the_docs_is_json() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![folder.join("README.md")];
    for place in ["docs", "docs/coming-from"] {
        let entries = std::fs::read_dir(folder.join(place)).expect("the docs").flatten();
        pages.extend(
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "md")),
        );
    }
    let mut samples = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a page");
        for sample in text.split("```json\n").skip(1) {
            let sample = sample.split("```").next().unwrap_or_default();
            let parsed = serde_json::from_str::<Value>(sample);
            assert!(parsed.is_ok(), "{}: {:?}\n{sample}", page.display(), parsed.err());
            samples += 1;
        }
    }
    assert!(samples > 0, "there are samples");
}
