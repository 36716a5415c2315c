//! A client that returns receives the state of the chat sessions that it knew, whatever happened to them or
//! to its participation meanwhile.

use super::picture::Desk;
use crate::harness::Engine;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    session_changed_while_offline_is_current_after_reconnect,
    session_without_viewer_is_closed_after_reconnect,
    session_ended_after_removal_is_closed_after_reconnect,
    session_is_closed_for_viewer_who_rejoined_the_chat,
    session_of_deleted_chat_is_closed_after_reconnect,
);

/// Olga's desk, which shows a session that Odile made and called her to.
struct Calls {
    world: World,
    odile: Person,
    olga: Person,
    chat: String,
    session: String,
    desk: Desk,
}

impl Calls {
    async fn new(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
        let vera = world.visitor("vera").await;
        let chat = world.chat(&vera).await;
        let input =
            json!({ "in": { "chat": { "id": chat, "participantIds": [olga.id, vera.id] } }, "start": true });
        let created = odile.done("createChatSession", "chatSession { id }", input).await;
        let session = text(&created["chatSession"]["id"]);
        let mut desk = Desk::of(olga.clone(), vec![world.room.clone()]);
        desk.settle().await.expect("the session is shown");
        assert!(desk.picture.sessions.contains_key(&session));
        desk.cut();
        Self { world, odile, olga, chat, session, desk }
    }

    async fn change(&self, name: &str, mut input: Value) {
        input["chatSessionId"] = json!(self.session);
        self.odile.done(name, "", input).await;
    }

    async fn take_olga_out(&self) {
        let input = json!({ "chatId": self.chat, "participantId": self.olga.id });
        self.odile.done("removeParticipant", "", input).await;
    }

    /// Olga is back, and her desk shows what is there.
    async fn back(mut self) -> Option<Value> {
        if let Err(difference) = self.desk.settle().await {
            panic!("a wrong picture:\n{difference}");
        }
        let shown = self.desk.picture.sessions.remove(&self.session);
        self.world.app.stop().await;
        shown
    }
}

async fn session_changed_while_offline_is_current_after_reconnect(engine: Engine) {
    let calls = Calls::new(engine).await;
    calls.change("updateChatSession", json!({ "title": "Knee" })).await;
    assert_eq!(calls.back().await.expect("it is open")["title"], "Knee");
}

async fn session_without_viewer_is_closed_after_reconnect(engine: Engine) {
    let calls = Calls::new(engine).await;
    let otto = calls.world.operator("Otto").await;
    calls.change("updateChatSession", json!({ "participantIds": [otto.id] })).await;
    assert_eq!(calls.back().await, None);
}

async fn session_ended_after_removal_is_closed_after_reconnect(engine: Engine) {
    let calls = Calls::new(engine).await;
    calls.take_olga_out().await;
    calls.change("finishChatSession", json!({})).await;
    assert_eq!(calls.back().await, None);
}

async fn session_is_closed_for_viewer_who_rejoined_the_chat(engine: Engine) {
    let calls = Calls::new(engine).await;
    calls.take_olga_out().await;
    calls.olga.done("joinChat", "", json!({ "chatId": calls.chat })).await;
    assert_eq!(calls.back().await, None);
}

async fn session_of_deleted_chat_is_closed_after_reconnect(engine: Engine) {
    let calls = Calls::new(engine).await;
    calls.world.admin.done("deleteChat", "", json!({ "chatId": calls.chat })).await;
    assert_eq!(calls.back().await, None);
}
