//! What a chat counts, after each thing that can happen in it, as a table.

use super::{join, seen, send};
use crate::harness::Engine;
use crate::harness::world::{Person, World};
use crate::on_both;
use serde_json::{Value, json};

on_both!(each_counter_counts_what_it_says_and_nothing_else, a_chat_in_a_group_counts_alike);

/// What happens, and then: messages, of users, of the visitor; participants, users, visitors; users present; whether
/// the visitor waits, people really talk, and something was suggested.
const TABLE: &str = "
    the visitor starts         0 0 0  1 0 1  0  - - -
    a message is suggested     0 0 0  2 1 1  0  - - s
    the visitor writes         1 0 1  2 1 1  0  w - s
    one joins                  1 0 1  2 1 1  1  w - s
    one joins again            1 0 1  2 1 1  1  w - s
    one is called              1 0 1  2 1 1  1  w - s
    one types                  1 0 1  2 1 1  1  w - s
    another writes             2 1 1  3 2 1  1  - - s
    another joins              2 1 1  3 2 1  2  - - s
    one writes                 3 2 1  3 2 1  2  - r s
    the visitor writes         4 2 2  3 2 1  2  w r s
    one reads                  4 2 2  3 2 1  2  w r s
    one leaves                 4 2 2  3 2 1  1  w r s
    the admin writes for them  5 2 3  3 2 1  1  w r s
    one writes                 6 3 3  3 2 1  1  - r s
    the visitor writes         7 3 4  3 2 1  1  w r s
    it ends                    7 3 4  3 2 1  0  - r s";

async fn does(what: &str, world: &World, chat: &str, [one, another, visitor]: [&Person; 3]) {
    let here = json!({ "chatId": chat });
    match what {
        "the visitor starts" => {}
        "a message is suggested" => {
            let input = json!({ "chatId": chat, "text": "How may I help you?", "type": "AUTOSUGGEST" });
            one.done("sendMessage", "", input).await;
        }
        "the visitor writes" => drop(send(visitor, chat, "Hello").await),
        "one writes" => drop(send(one, chat, "Good morning").await),
        "another writes" => drop(send(another, chat, "Good evening").await),
        "one joins" | "one joins again" => drop(join(one, chat).await),
        "another joins" => drop(join(another, chat).await),
        "one is called" => drop(visitor.done("createChatSession", "", here).await),
        "one types" => {
            one.done("setTyping", "", json!({ "chatId": chat, "isTyping": true })).await;
        }
        "one reads" => drop(one.done("markRead", "", here).await),
        "one leaves" => drop(one.done("leaveChat", "", here).await),
        "the admin writes for them" => {
            let input = json!({ "chatId": chat, "text": "It hurts", "senderId": visitor.id });
            world.admin.done("sendMessage", "", input).await;
        }
        "it ends" => drop(one.done("endChat", "", here).await),
        other => panic!("how does one do that: {other}?"),
    }
}

async fn counted(world: &World, chat: &str) -> String {
    let fields = "messageCount userMessageCount visitorMessageCount participationCount userParticipationCount \
                  visitorParticipationCount presentUserCount isWaitingResponse isRealConversation isAutosuggested";
    let seen = seen(&world.admin, chat, fields).await;
    let mut words: Vec<_> = fields.split_whitespace().take(7).map(|field| seen[field].to_string()).collect();
    for (field, sign) in [("isWaitingResponse", "w"), ("isRealConversation", "r"), ("isAutosuggested", "s")] {
        words.push(if seen[field] == Value::Bool(true) { sign } else { "-" }.to_owned());
    }
    words.join(" ")
}

async fn each_counter_counts_what_it_says_and_nothing_else(engine: Engine) {
    let world = World::frozen(engine).await;
    let (one, another) = (world.operator("Olga").await, world.operator("Odile").await);
    let visitor = world.visitor("vera").await;
    let chat = world.chat(&visitor).await;
    for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (what, expected) = line.split_at(line.find("  ").expect("two spaces"));
        world.pass(1);
        does(what, &world, &chat, [&one, &another, &visitor]).await;
        let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(counted(&world, &chat).await, expected, "{what}");
    }
    world.app.stop().await;
}

async fn a_chat_in_a_group_counts_alike(engine: Engine) {
    let world = World::frozen(engine).await;
    let (one, another) = (world.operator("Olga").await, world.operator("Odile").await);
    let visitor = world.visitor("vera").await;
    let chat = super::group(&one, &[&another.id, &visitor.id]).await;
    assert_eq!(counted(&world, &chat).await, "0 0 0 3 2 1 0 - - -");
    for who in [&one, &visitor, &another] {
        send(who, &chat, "Hello").await;
    }
    assert_eq!(counted(&world, &chat).await, "3 2 1 3 2 1 0 - r -");
    world.app.stop().await;
}
