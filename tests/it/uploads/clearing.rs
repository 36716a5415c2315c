//! Unsent uploads are deleted after a day. Sent files stay until their message is deleted.

use super::{ANY, alone, until};
use crate::harness::Engine;
use crate::harness::files::{grant, kept, png, put, status_and_code, upload};
use crate::harness::stored::Stored;
use crate::harness::world::text;
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    an_upload_that_is_not_sent_is_removed_after_a_day,
    attachments_of_deleted_message_are_gone,
    file_urls_of_deleted_chat_stop_working,
);

const DAY: u64 = 86_400;

async fn an_upload_that_is_not_sent_is_removed_after_a_day(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let sent = upload(&vera, &chat, "sent.png", "image/png", png(10, 10)).await;
    let left = upload(&vera, &chat, "left.png", "image/png", png(10, 10)).await;
    let begun = text(&grant(&vera, &chat, "begun.bin", ANY, 1).await["attachment"]["id"]);
    vera.done("sendMessage", "", json!({ "chatId": chat, "attachmentIds": [sent] })).await;
    let files = &world.app.config.files;
    assert_eq!(kept(files).len(), 4, "two images and their previews");
    let stored = Stored::of(&world.app).await;
    let rows = async || stored.tables().await["attachment"].len();
    // Given a day but a second, when the server has looked at its clock, all is still there.
    world.pass(DAY - 1);
    world.app.app.actions().clear_uploads().await.expect("cleared");
    assert_eq!((kept(files).len(), rows().await), (4, 3));
    let query = "query($id: ID!) { node(id: $id) { ... on FileAttachment { url } } }";
    let url = text(&vera.query(query, json!({ "id": left })).await["node"]["url"]);
    // Once the day is over, what was not sent goes, by the server's own clock.
    world.pass(2);
    until(async || rows().await == 1).await;
    assert_eq!(kept(files).len(), 2);
    for id in [&left, &begun] {
        assert_eq!(vera.query(query, json!({ "id": id })).await["node"], Value::Null);
        let input = json!({ "chatId": chat, "attachmentIds": [id] });
        assert_eq!(vera.refused("sendMessage", input).await, ["NOT_FOUND"]);
    }
    assert_eq!(
        status_and_code(reqwest::get(url).await.expect("an answer")).await,
        (404, "NOT_FOUND".to_owned())
    );
    let found = vera.query(query, json!({ "id": sent })).await;
    let answer = reqwest::get(text(&found["node"]["url"])).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    world.app.stop().await;
}

async fn attachments_of_deleted_message_are_gone(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let first = upload(&vera, &chat, "a.png", "image/png", png(10, 10)).await;
    let other = upload(&vera, &chat, "b.bin", ANY, vec![1]).await;
    let send = |id: &str, name: &str| json!({ "chatId": chat, "attachmentIds": [id], "externalId": name, "links": [{ "url": "https://a.example/" }] });
    let selection = "messageEdge { node { id attachments { id ... on FileAttachment { url previewUrl } } } }";
    let sent = vera.done("sendMessage", selection, send(&first, "one")).await;
    vera.done("sendMessage", "", send(&other, "two")).await;
    let message = &sent["messageEdge"]["node"];
    let file = &message["attachments"][0];
    let status = async |url: &Value| reqwest::get(text(url)).await.expect("an answer").status().as_u16();
    assert_eq!((status(&file["url"]).await, status(&file["previewUrl"]).await), (200, 200));
    // When the message is deleted, links that still hold lead to nothing from that moment on,
    let deleted = "message { attachments { id } }";
    let tombstone = vera.done("deleteMessage", deleted, json!({ "messageId": message["id"] })).await;
    assert_eq!(tombstone["message"]["attachments"], json!([]));
    assert_eq!((status(&file["url"]).await, status(&file["previewUrl"]).await), (404, 404));
    let query = "query($id: ID!) { node(id: $id) { id } }";
    for attachment in message["attachments"].as_array().expect("a list") {
        assert_eq!(world.admin.query(query, json!({ "id": attachment["id"] })).await["node"], Value::Null);
    }
    // and its bytes and rows follow; those of other messages stay.
    let stored = Stored::of(&world.app).await;
    until(async || stored.tables().await["attachment"].len() == 2).await;
    assert_eq!(kept(&world.app.config.files).len(), 1);
    // A retry of the message returns the deleted message.
    let again = vera.done("sendMessage", "messageEdge { node { id } }", send(&first, "one")).await;
    assert_eq!(again["messageEdge"]["node"]["id"], message["id"]);
    assert_eq!(vera.refused("sendMessage", send(&first, "three")).await, ["NOT_FOUND"]);
    world.app.stop().await;
}

async fn file_urls_of_deleted_chat_stop_working(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let sent = upload(&vera, &chat, "sent.png", "image/png", png(10, 10)).await;
    let unsent = upload(&vera, &chat, "unsent.png", "image/png", png(10, 10)).await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "attachmentIds": [sent] })).await;
    let begun = grant(&vera, &chat, "begun.bin", ANY, 3).await;
    let other = world.chat(&vera).await;
    let elsewhere = upload(&vera, &other, "other.png", "image/png", png(10, 10)).await;
    let query = "query($id: ID!) { node(id: $id) { ... on FileAttachment { url previewUrl } } }";
    let links = async |id: &str| vera.query(query, json!({ "id": id })).await["node"].clone();
    let (of_sent, of_unsent) = (links(&sent).await, links(&unsent).await);
    let ask = async |url: &Value, method: reqwest::Method, range: Option<&str>| {
        let mut request = reqwest::Client::new().request(method, text(url));
        if let Some(range) = range {
            request = request.header("range", range);
        }
        request.send().await.expect("an answer").status().as_u16()
    };
    let all = async || {
        let mut found = Vec::new();
        for url in [&of_sent["url"], &of_sent["previewUrl"], &of_unsent["url"], &of_unsent["previewUrl"]] {
            found.push(ask(url, reqwest::Method::GET, None).await);
        }
        found.push(ask(&of_sent["url"], reqwest::Method::GET, Some("bytes=0-1")).await);
        found.push(ask(&of_sent["url"], reqwest::Method::HEAD, None).await);
        found
    };
    assert_eq!(all().await, [200, 200, 200, 200, 206, 200]);
    world.admin.done("deleteChat", "", json!({ "chatId": chat })).await;
    assert_eq!(all().await, [404; 6]);
    for id in [&sent, &unsent, &text(&begun["attachment"]["id"])] {
        assert_eq!(vera.query(query, json!({ "id": id })).await["node"], Value::Null);
    }
    // No more uploads are accepted, and other chats keep their files.
    assert_eq!(status_and_code(put(&begun, ANY, "abc").await).await, (404, "NOT_FOUND".to_owned()));
    assert_eq!(ask(&links(&elsewhere).await["url"], reqwest::Method::GET, None).await, 200);
    world.app.stop().await;
}
