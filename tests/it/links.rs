//! Links: parsed as browsers do, stored in their normal form, and named after their host.

use crate::harness::Engine;
use crate::harness::stored::Stored;
use crate::harness::world::World;
use crate::on_both;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

on_both!(
    link_host_is_unambiguous,
    link_with_credentials_is_refused,
    page_is_normalized_and_loses_credentials,
    link_that_was_stored_as_given_is_read_as_browsers_do,
);

const SENT: &str = "messageEdge { node { id attachments { name ... on LinkAttachment { url } } } }";

async fn link_host_is_unambiguous(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for (given, url, name) in [
        ("https:e.org", "https://e.org/", "e.org"),
        ("https:/e.org/a", "https://e.org/a", "e.org"),
        ("HTTPS://E.org:443", "https://e.org/", "e.org"),
        (r"https:\\e.org\a b", "https://e.org/a%20b", "e.org"),
        (
            "https://bücher.example/ä?ö#ü",
            "https://xn--bcher-kva.example/%C3%A4?%C3%B6#%C3%BC",
            "xn--bcher-kva.example",
        ),
        ("https://e。org/", "https://e.org/", "e.org"),
        ("http://0x7f000001/", "http://127.0.0.1/", "127.0.0.1"),
    ] {
        let input = json!({ "chatId": chat, "externalId": given, "links": [{ "url": given }] });
        let sent = vera.done("sendMessage", SENT, input.clone()).await;
        let expected = json!([{ "name": name, "url": url }]);
        assert_eq!(sent["messageEdge"]["node"]["attachments"], expected, "{given}");
        // However it is spelled, it is the same link again.
        for again in [given, url] {
            let mut input = input.clone();
            input["links"][0]["url"] = json!(again);
            assert_eq!(vera.done("sendMessage", SENT, input).await, sent, "{again}");
        }
    }
    for given in
        ["//e.org", "/a", "e.org", "javascript:alert(1)", "https://", "https://e.org\t/", "mailto:a@e.org"]
    {
        let input = json!({ "chatId": chat, "links": [{ "url": given }] });
        assert_eq!(vera.refused("sendMessage", input).await, ["INVALID"], "{given}");
    }
    world.app.stop().await;
}

async fn link_with_credentials_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for given in
        ["https://bank.example@e.org/", "https://a:b@e.org", "https://:b@e.org", "https:bank.example@e.org"]
    {
        let input = json!({ "chatId": chat, "links": [{ "url": given }] });
        let refused = vera.mutate("sendMessage", "", input).await["userErrors"].clone();
        let expected = json!([{ "code": "INVALID", "field": ["input", "links"],
            "message": "The URL of a link must not contain a user name or a password." }]);
        assert_eq!(refused[0]["code"], "INVALID", "{given}");
        assert_eq!(refused[0]["message"], expected[0]["message"], "{given}");
    }
    world.app.stop().await;
}

async fn page_is_normalized_and_loses_credentials(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let query = "query($id: ID!) { visitor(by: { id: $id }) { currentPage { url title } } }";
    for (given, url) in [
        ("https:e.org", "https://e.org/"),
        ("https://staging:secret@e.org/a", "https://e.org/a"),
        ("HTTP://e.org:80/ä", "http://e.org/%C3%A4"),
    ] {
        let page = json!({ "url": given, "title": "\u{200b}" });
        vera.done("startChat", "", json!({ "roomId": world.room, "page": page })).await;
        let found = world.admin.query(query, json!({ "id": vera.id })).await;
        assert_eq!(found["visitor"]["currentPage"], json!({ "url": url, "title": null }), "{given}");
    }
    world.app.stop().await;
}

async fn link_that_was_stored_as_given_is_read_as_browsers_do(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let input = json!({ "chatId": chat, "externalId": "a", "links": [{ "url": "https://e.org" }] });
    let sent = vera.done("sendMessage", SENT, input.clone()).await;
    let stored = Stored::of(&world.app).await;
    stored.0.execute_unprepared("UPDATE attachment SET url = 'https:e.org'").await.expect("an older row");
    let query = "query($id: ID!) { node(id: $id) { ... on Message { attachments { ... on LinkAttachment { url } } } } }";
    let id: &Value = &sent["messageEdge"]["node"]["id"];
    let found = vera.query(query, json!({ "id": id })).await;
    assert_eq!(found["node"]["attachments"], json!([{ "url": "https://e.org/" }]));
    assert_eq!(vera.done("sendMessage", SENT, input).await, sent);
    world.app.stop().await;
}
