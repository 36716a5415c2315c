//! Shopping carts: the shop says what is in them, the desk sees it beside the chat, and a chat that led to a sale can
//! be found by it.

use crate::harness::Engine;
use crate::harness::calls::outcome;
use crate::harness::scene::{Scene, program};
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, ids, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    cart_totals_are_sums_of_products,
    removed_products_remain_listed,
    bought_cart_rejects_changes,
    a_cart_belongs_to_one_visitor_and_their_chats,
    a_cart_is_shown_to_its_visitor_and_the_organization,
    sale_sets_has_sales_and_is_hidden_from_visitors,
    concurrent_upserts_create_one_cart,
);

const CART: &str = "shoppingCart { id externalId currency totalPrice monthlyTotalPrice openedAt lockedAt \
                    visitor { id } chat { id } \
                    products { externalId name price quantity monthlyPrice monthlyQuantity stockBalance deletedAt } }";

fn cart(visitor: &Person, products: Value) -> Value {
    json!({ "externalId": "cart-1", "visitorId": visitor.id, "currency": "EUR", "products": products })
}

fn with(mut input: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("fields") {
        input[name] = value.clone();
    }
    input
}

async fn cart_totals_are_sums_of_products(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    // Sums that binary numbers get wrong.
    let products = json!([
        { "externalId": "1", "name": "Apple iPad Air 2", "price": "499.90", "quantity": 3, "stockBalance": 123 },
        { "externalId": "2", "name": "Case", "price": "0.1" },
        { "externalId": "3", "name": "Pen", "price": "0.2", "quantity": 1 },
        { "externalId": "4", "name": "Data", "monthlyPrice": "19.95", "monthlyQuantity": 2 },
        { "externalId": "5", "name": "Voucher", "price": "-20" },
        { "externalId": "6", "name": "Screws", "price": "0.0125", "quantity": 10 },
        { "externalId": "7", "name": "Brochure" },
    ]);
    let upserted = world.admin.done("upsertShoppingCart", CART, cart(&vera, products)).await;
    let shown = &upserted["shoppingCart"];
    assert_eq!(shown["totalPrice"], "1480.125");
    assert_eq!(shown["monthlyTotalPrice"], "39.90");
    assert_eq!((&shown["currency"], &shown["lockedAt"]), (&json!("EUR"), &Value::Null));
    assert_eq!(shown["openedAt"], crate::harness::world::NOON);
    assert_eq!(shown["products"][0]["price"], "499.90");
    assert_eq!(shown["products"][1]["price"], "0.10");
    assert_eq!(shown["products"][6]["price"], Value::Null);
    let empty = with(cart(&vera, json!([])), json!({ "externalId": "empty" }));
    let upserted = world.admin.done("upsertShoppingCart", CART, empty).await;
    assert_eq!(upserted["shoppingCart"]["totalPrice"], "0.00");
    world.app.stop().await;
}

async fn removed_products_remain_listed(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let (pad, pen) = (
        json!({ "externalId": "pad", "name": "Pad", "price": "10" }),
        json!({ "externalId": "pen", "name": "Pen", "price": "1" }),
    );
    let upsert = async |products: Value| {
        let all =
            "shoppingCart { id totalPrice products(includeDeleted: true) { externalId addedAt deletedAt } }";
        world.admin.done("upsertShoppingCart", all, cart(&vera, products)).await["shoppingCart"].clone()
    };
    let first = upsert(json!([pad, pen])).await;
    assert_eq!(first["totalPrice"], "11.00");
    world.pass(60);
    let second = upsert(json!([pen])).await;
    assert_eq!((&second["id"], &second["totalPrice"]), (&first["id"], &json!("1.00")));
    let taken_out = json!("2026-11-20T12:01:00.000Z");
    assert_eq!(second["products"][0]["deletedAt"], taken_out);
    // Saying it again changes nothing.
    world.pass(60);
    assert_eq!(upsert(json!([pen])).await, second);
    let back = upsert(json!([pen, pad])).await;
    assert_eq!(back["totalPrice"], "11.00");
    let put_back = json!({ "externalId": "pad", "addedAt": "2026-11-20T12:02:00.000Z", "deletedAt": null });
    assert!(back["products"].as_array().expect("products").contains(&put_back), "{back:#}");
    world.app.stop().await;
}

async fn bought_cart_rejects_changes(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let products = json!([{ "externalId": "pad", "name": "Pad", "price": "10" }]);
    let bought = with(cart(&vera, products.clone()), json!({ "lockedAt": "2026-11-20T11:00:00Z" }));
    let first = world.admin.done("upsertShoppingCart", CART, bought.clone()).await;
    assert_eq!(first["shoppingCart"]["lockedAt"], "2026-11-20T11:00:00.000Z");
    for change in [
        json!({ "products": [] }),
        json!({ "currency": "SEK" }),
        json!({ "lockedAt": "2026-11-20T11:00:01Z" }),
        json!({ "openedAt": "2026-11-20T10:00:00Z" }),
    ] {
        let changed = with(bought.clone(), change.clone());
        assert_eq!(
            outcome(&world.admin, "upsertShoppingCart", &changed).await,
            "INVALID externalId",
            "{change}"
        );
    }
    // A retry, and one that says less, are answered with what is there.
    for again in [bought, cart(&vera, products)] {
        assert_eq!(world.admin.done("upsertShoppingCart", CART, again).await, first);
    }
    world.app.stop().await;
}

async fn a_cart_belongs_to_one_visitor_and_their_chats(engine: Engine) {
    let world = World::new(engine).await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let (own, other) = (world.chat(&vera).await, world.chat(&victor).await);
    let olga = world.operator("Olga").await;
    let shop = program(&world.app, &world.admin).await;
    let start = json!({ "roomId": world.room, "visitorId": vera.id, "isPrivate": true });
    let private = text(&olga.done("startChat", "chat { id }", start).await["chat"]["id"]);
    let of = |visitor: &Person, more: Value| with(cart(visitor, json!([])), more);
    for (input, expected) in [
        (of(&vera, json!({ "chatId": other })), "NOT_FOUND chatId"),
        (of(&vera, json!({ "chatId": private })), "NOT_FOUND chatId"),
        (of(&olga, json!({})), "NOT_FOUND visitorId"),
        (of(&vera, json!({ "chatId": own })), "done"),
        (of(&victor, json!({})), "CONFLICT externalId"),
    ] {
        assert_eq!(outcome(&shop, "upsertShoppingCart", &input).await, expected, "{input}");
    }
    // If the chat is absent, it is unchanged.
    let again = shop.done("upsertShoppingCart", CART, of(&vera, json!({}))).await;
    assert_eq!(again["shoppingCart"]["chat"]["id"], json!(own));
    world.app.stop().await;
}

async fn a_cart_is_shown_to_its_visitor_and_the_organization(engine: Engine) {
    let world = World::new(engine).await;
    let scene = Scene::new(&world.app, "clinic-shop").await;
    let products = json!([{ "externalId": "pad", "name": "Pad", "price": "10" }]);
    let input = with(cart(&scene.vera, products), json!({ "chatId": scene.private.chat }));
    let made = scene.admin.done("upsertShoppingCart", "shoppingCart { id products { id } }", input).await;
    let (id, product) = (text(&made["shoppingCart"]["id"]), text(&made["shoppingCart"]["products"][0]["id"]));
    let document = "query($ids: [ID!]!, $visitor: ID!, $chat: ID!) { nodes(ids: $ids) { id } \
                    visitor(by: { id: $visitor }) { shoppingCarts { nodes { id chat { id } } } } \
                    chat(id: $chat) { shoppingCarts { nodes { id } } } }";
    let variables = json!({ "ids": [id, product], "visitor": scene.vera.id, "chat": scene.private.chat });
    let all = json!([{ "id": id }, { "id": product }]);
    let in_chat = json!([{ "id": id }]);
    for (who, chat, in_chat) in [
        (&*scene.admin, json!(scene.private.chat), in_chat.clone()),
        (&scene.olga, json!(scene.private.chat), in_chat),
        // A viewer who cannot see the private chat sees the visitor's cart without the chat.
        (&scene.otto, Value::Null, Value::Null),
        (&scene.program, Value::Null, Value::Null),
        (&scene.vera, json!(scene.private.chat), Value::Null),
    ] {
        let found = who.query(document, variables.clone()).await;
        assert_eq!(found["nodes"], all);
        let cart = &found["visitor"]["shoppingCarts"]["nodes"][0];
        assert_eq!((&cart["id"], &cart["chat"]["id"]), (&json!(id), &chat));
        assert_eq!(found["chat"]["shoppingCarts"]["nodes"], in_chat);
    }
    let found = scene.victor.query(document, variables).await;
    assert_eq!(found, json!({ "nodes": [null, null], "visitor": null, "chat": null }));
    world.app.stop().await;
}

async fn sale_sets_has_sales_and_is_hidden_from_visitors(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let (sold, other) = (world.chat(&vera).await, world.chat(&vera).await);
    let updated = "query($id: ID!) { chat(id: $id) { updatedAt } }";
    let before = vera.query(updated, json!({ "id": sold })).await;
    let list = "subscription($in: ChatScope!, $filter: ChatFilter) { chatChanged(in: $in, filter: $filter) { \
                action chatId chat { name } } }";
    let mut desk = Socket::connect(&world.app.url, &olga.token).await;
    let sales = json!({ "in": { "roomId": world.room }, "filter": { "hasSales": true } });
    desk.subscribe("sales", list, sales, None).await;
    desk.wait_until_subscribed().await;
    let mut phone = Socket::connect(&world.app.url, &vera.token).await;
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename } } }";
    phone.subscribe("chat", events, json!({ "chat": sold }), None).await;
    assert_eq!(phone.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");

    world.pass(60);
    let input = with(cart(&vera, json!([])), json!({ "chatId": sold }));
    world.admin.done("upsertShoppingCart", "", input.clone()).await;
    let filtered = "query($filter: ChatFilter) { organization { chats(filter: $filter) { nodes { id } } } }";
    let with_sales = async |has_sales: bool| {
        let found = olga.query(filtered, json!({ "filter": { "hasSales": has_sales } })).await;
        ids(&found["organization"]["chats"]["nodes"])
    };
    assert_eq!(with_sales(true).await, Vec::<String>::new());
    let bought = with(input, json!({ "lockedAt": "2026-11-20T12:00:30Z" }));
    world.admin.done("upsertShoppingCart", "", bought).await;
    assert_eq!(with_sales(true).await, std::slice::from_ref(&sold));
    assert_eq!(with_sales(false).await, [other]);
    let change = desk.data().await["chatChanged"].clone();
    assert_eq!((&change["action"], &change["chatId"]), (&json!("ADDED"), &json!(sold)));
    // The visitor receives the next event, and none before it.
    vera.done("sendMessage", "", json!({ "chatId": sold, "text": "Thank you" })).await;
    assert_eq!(phone.data().await["chatEvents"]["change"]["__typename"], "MessageAddedEvent");
    assert_ne!(vera.query(updated, json!({ "id": sold })).await, before);
    world.app.stop().await;
}

async fn concurrent_upserts_create_one_cart(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let products = json!([{ "externalId": "pad", "name": "Pad", "price": "10" }]);
    let calls = (0..20).map(|_| {
        let (admin, input) = (world.admin.clone(), cart(&vera, products.clone()));
        tokio::spawn(async move { admin.done("upsertShoppingCart", "shoppingCart { id }", input).await })
    });
    let answers = futures_util::future::join_all(calls).await;
    let mut made: Vec<_> =
        answers.into_iter().map(|answer| text(&answer.expect("a call")["shoppingCart"]["id"])).collect();
    made.dedup();
    assert_eq!(made.len(), 1);
    let list =
        "query($id: ID!) { visitor(by: { id: $id }) { shoppingCarts { totalCount nodes { totalPrice } } } }";
    let found = world.admin.query(list, json!({ "id": vera.id })).await;
    let carts = json!({ "totalCount": 1, "nodes": [{ "totalPrice": "10.00" }] });
    assert_eq!(found["visitor"]["shoppingCarts"], carts);
    world.app.stop().await;
}
