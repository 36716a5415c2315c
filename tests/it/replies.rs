//! Replies and reactions: their targets, their visibility, and the actions of a message.

use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::stored::{Stored, assert_unchanged};
use crate::harness::world::{Person, World, text};
use crate::on_both;
use anteroom::domain::limits;
use serde_json::{Value, json};

on_both!(
    reply_to_returns_edited_or_deleted_message,
    reply_requires_written_message_of_same_chat,
    a_reply_sent_again_answers_the_same_message,
    reactions_are_counted_for_each_emoji,
    reactions_are_idempotent,
    distinct_emojis_are_limited,
    reactions_require_existing_message_in_open_chat,
    note_reaction_events_are_hidden_from_visitors,
    viewer_actions_match_mutations,
);

struct Clinic {
    world: World,
    olga: Person,
    vera: Person,
    chat: String,
    /// Vera's.
    asked: String,
}

impl Clinic {
    async fn new(engine: Engine) -> Self {
        let world = World::frozen(engine).await;
        let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
        let chat = world.chat(&vera).await;
        let asked = send(&vera, json!({ "chatId": chat, "text": "Am I late?" })).await;
        Self { world, olga, vera, chat, asked }
    }

    async fn reply(&self, by: &Person, to: &str, more: Value) -> Value {
        let mut input = json!({ "chatId": self.chat, "text": "No", "replyToId": to });
        input.as_object_mut().expect("an input").extend(more.as_object().expect("fields").clone());
        by.mutate("sendMessage", "messageEdge { node { id replyTo { id text } } }", input).await
    }

    async fn react(&self, by: &Person, id: &str, emoji: &str) -> Value {
        let input = json!({ "messageId": id, "emoji": emoji });
        by.done("addReaction", REACTIONS, input).await["message"]["reactions"].clone()
    }

    async fn stop(self) {
        self.world.app.stop().await;
    }
}

const REACTIONS: &str = "message { reactions { emoji count viewerHasReacted } }";

async fn send(sender: &Person, input: Value) -> String {
    let sent = sender.done("sendMessage", "messageEdge { node { id } }", input).await;
    text(&sent["messageEdge"]["node"]["id"])
}

async fn seen(viewer: &Person, id: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on Message {{ {fields} }} }} }}");
    viewer.query(&query, json!({ "id": id })).await["node"].clone()
}

async fn reply_to_returns_edited_or_deleted_message(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, vera, asked, .. } = &clinic;
    let sent = clinic.reply(olga, asked, json!({})).await;
    let answer = &sent["messageEdge"]["node"];
    assert_eq!(answer["replyTo"], json!({ "id": asked, "text": "Am I late?" }));
    assert_eq!(seen(vera, asked, "replyTo { id }").await["replyTo"], Value::Null);
    let id = text(&answer["id"]);
    vera.done("editMessage", "", json!({ "messageId": asked, "text": "Am I early?" })).await;
    assert_eq!(seen(vera, &id, "replyTo { text }").await["replyTo"]["text"], "Am I early?");
    vera.done("deleteMessage", "", json!({ "messageId": asked })).await;
    let found = seen(olga, &id, "replyTo { id text deletedAt }").await;
    let tombstone = json!({ "id": asked, "text": null, "deletedAt": "2026-11-20T12:00:00.000Z" });
    assert_eq!(found["replyTo"], tombstone);
    clinic.stop().await;
}

async fn reply_requires_written_message_of_same_chat(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, vera, chat, asked } = &clinic;
    let code =
        |sent: &Value| (text(&sent["userErrors"][0]["code"]), sent["userErrors"][0]["field"][1].clone());
    let refused = |code: &str| (code.to_owned(), json!("replyToId"));
    let elsewhere = world.chat(vera).await;
    let elsewhere = send(vera, json!({ "chatId": elsewhere, "text": "x" })).await;
    assert_eq!(code(&clinic.reply(olga, &elsewhere, json!({})).await), refused("NOT_FOUND"));
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let query = "query($id: ID!) { chat(id: $id) { messages(types: [JOIN], last: 1) { nodes { id } } } }";
    let joined = olga.query(query, json!({ "id": chat })).await;
    let joined = text(&joined["chat"]["messages"]["nodes"][0]["id"]);
    assert_eq!(code(&clinic.reply(olga, &joined, json!({})).await), refused("INVALID"));
    // A note may answer a message; nobody but a note may answer a note, and to Vera there is none.
    let note = clinic.reply(olga, asked, json!({ "isInternal": true })).await;
    let note = text(&note["messageEdge"]["node"]["id"]);
    assert_eq!(code(&clinic.reply(olga, &note, json!({})).await), refused("INVALID"));
    assert_eq!(code(&clinic.reply(vera, &note, json!({})).await), refused("NOT_FOUND"));
    let second = clinic.reply(olga, &note, json!({ "isInternal": true })).await;
    assert_eq!(second["messageEdge"]["node"]["replyTo"]["id"], note);
    let answered = send(olga, json!({ "chatId": chat, "text": "x" })).await;
    olga.done("deleteMessage", "", json!({ "messageId": answered })).await;
    assert_eq!(code(&clinic.reply(vera, &answered, json!({})).await), refused("INVALID"));
    clinic.stop().await;
}

async fn a_reply_sent_again_answers_the_same_message(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, vera, chat, asked, .. } = &clinic;
    let other = send(vera, json!({ "chatId": chat, "text": "Or early?" })).await;
    let named = json!({ "externalId": "r" });
    let first = clinic.reply(olga, asked, named.clone()).await;
    vera.done("deleteMessage", "", json!({ "messageId": asked })).await;
    let again = clinic.reply(olga, asked, named.clone()).await;
    assert_eq!(again["messageEdge"]["node"]["id"], first["messageEdge"]["node"]["id"]);
    assert_eq!(clinic.reply(olga, &other, named).await["userErrors"][0]["code"], "CONFLICT");
    let plain = json!({ "chatId": chat, "text": "No", "externalId": "r" });
    assert_eq!(olga.refused("sendMessage", plain).await, ["CONFLICT"]);
    clinic.stop().await;
}

async fn reactions_are_counted_for_each_emoji(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, vera, asked, .. } = &clinic;
    let shown = |emoji: &str, count: i32, own: bool| json!({ "emoji": emoji, "count": count, "viewerHasReacted": own });
    clinic.react(olga, asked, "👍").await;
    world.pass(1);
    clinic.react(&world.admin, asked, "❤").await;
    world.pass(1);
    let found = clinic.react(vera, asked, "❤️").await;
    assert_eq!(found, json!([shown("👍", 1, false), shown("❤️", 2, true)]));
    let expected = json!([shown("👍", 1, true), shown("❤️", 2, false)]);
    assert_eq!(seen(olga, asked, "reactions { emoji count viewerHasReacted }").await["reactions"], expected);
    let input = json!({ "messageId": asked, "emoji": "❤" });
    let found = vera.done("removeReaction", REACTIONS, input).await["message"]["reactions"].clone();
    assert_eq!(found, json!([shown("👍", 1, false), shown("❤️", 1, false)]));
    clinic.stop().await;
}

async fn reactions_are_idempotent(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, asked, .. } = &clinic;
    clinic.react(olga, asked, "👍").await;
    let stored = Stored::of(&world.app).await;
    let before = stored.tables().await;
    world.pass(1);
    clinic.react(olga, asked, "👍").await;
    olga.done("removeReaction", "", json!({ "messageId": asked, "emoji": "🙏" })).await;
    assert_unchanged(&before, &stored.tables().await, "the same reaction");
    clinic.stop().await;
}

async fn distinct_emojis_are_limited(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, vera, asked, .. } = &clinic;
    let emojis: Vec<_> = ('🐀'..).take(limits::EMOJIS + 1).map(String::from).collect();
    for emoji in &emojis[..limits::EMOJIS] {
        clinic.react(olga, asked, emoji).await;
    }
    let one_more = json!({ "messageId": asked, "emoji": emojis[limits::EMOJIS] });
    assert_eq!(olga.refused("addReaction", one_more.clone()).await, ["TOO_MANY"]);
    // Those that are there are open to others, and one that goes makes room.
    clinic.react(vera, asked, &emojis[0]).await;
    olga.done("removeReaction", "", json!({ "messageId": asked, "emoji": emojis[1] })).await;
    olga.done("addReaction", "", one_more).await;
    clinic.stop().await;
}

async fn reactions_require_existing_message_in_open_chat(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, vera, chat, asked, .. } = &clinic;
    let note = send(olga, json!({ "chatId": chat, "text": "x", "isInternal": true })).await;
    let refused = async |by: &Person, id: &str| {
        let input = json!({ "messageId": id, "emoji": "👍" });
        let codes =
            (by.refused("addReaction", input.clone()).await, by.refused("removeReaction", input).await);
        assert_eq!(codes.0, codes.1);
        codes.0
    };
    assert_eq!(refused(vera, &note).await, ["NOT_FOUND"]);
    let other = send(vera, json!({ "chatId": chat, "text": "x" })).await;
    clinic.react(olga, &other, "👍").await;
    vera.done("deleteMessage", "", json!({ "messageId": other })).await;
    assert_eq!(refused(olga, &other).await, ["INVALID"]);
    assert_eq!(seen(olga, &other, "reactions { count }").await["reactions"], json!([]));
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(refused(olga, asked).await, ["CHAT_ENDED"]);
    clinic.stop().await;
}

async fn note_reaction_events_are_hidden_from_visitors(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, vera, chat, asked, .. } = &clinic;
    let note = send(olga, json!({ "chatId": chat, "text": "x", "isInternal": true })).await;
    let query = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename
        ... on MessageChangedEvent { message { id reactions { emoji viewerHasReacted } } } } } }";
    let mut sockets = Vec::new();
    for viewer in [olga, vera] {
        let mut socket = Socket::connect(&viewer.url, &viewer.token).await;
        socket.subscribe("s", query, json!({ "chat": chat }), None).await;
        assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
        sockets.push(socket);
    }
    clinic.react(olga, &note, "🤫").await;
    clinic.react(olga, asked, "👍").await;
    let reacted = |id: &str, emoji: &str, own: bool| {
        let reactions = json!([{ "emoji": emoji, "viewerHasReacted": own }]);
        json!({ "__typename": "MessageChangedEvent", "message": { "id": id, "reactions": reactions } })
    };
    let mut change = async |socket: usize| sockets[socket].data().await["chatEvents"]["change"].clone();
    assert_eq!(change(0).await, reacted(&note, "🤫", true));
    assert_eq!(change(0).await, reacted(asked, "👍", true));
    assert_eq!(change(1).await, reacted(asked, "👍", false));
    clinic.stop().await;
}

async fn viewer_actions_match_mutations(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, vera, chat, asked } = &clinic;
    let buttons = async |viewer: &Person| seen(viewer, asked, "viewerActions").await["viewerActions"].clone();
    let others = json!(["REPLY", "REACT"]);
    assert_eq!(buttons(vera).await, json!(["EDIT", "DELETE", "REPLY", "REACT"]));
    assert_eq!(buttons(olga).await, others);
    assert_eq!(buttons(&world.admin).await, json!(["DELETE", "REPLY", "REACT"]));
    world.pass(900);
    assert_eq!(buttons(vera).await, others);
    let program = crate::harness::scene::program(&world.app, &world.admin).await;
    let query = "query($id: ID!) { node(id: $id) { ... on Message { viewerActions } } }";
    assert_eq!(program.query(query, json!({ "id": asked })).await["node"]["viewerActions"], json!([]));
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(buttons(vera).await, json!([]));
    assert_eq!(buttons(&world.admin).await, json!(["DELETE"]));
    clinic.stop().await;
}
