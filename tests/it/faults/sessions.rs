//! Sessions: several people accept one at the same time, and some ring for nobody.

use super::context::{Caller, Context};
use super::journal::Contest;
use crate::harness::client::mutation;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Seconds that a session rings which nobody is to answer: the least there is.
const RING_SECONDS: u32 = 5;

/// Lets several people accept the same session, again and again. Who accepted according to the store is filled in
/// later.
pub async fn contest(context: Context, visitor: Caller, called: Vec<Caller>, chat: usize) -> Vec<Contest> {
    let mut contests = Vec::new();
    for number in 0.. {
        if !context.pause(Duration::from_millis(400)).await {
            break;
        }
        let Some(session) = ring(&context, &visitor, &called, chat, 60, number).await else { continue };
        let accepts = called.iter().enumerate().map(|(at, caller)| {
            let input = json!({ "chatSessionId": session, "requestId": format!("tab of {}", caller.name) });
            let (context, query) = (&context, mutation("acceptChatSession", ""));
            async move {
                let variables = json!({ "input": input });
                context.ask_until_answered(caller, number + at, &query, &variables).await
            }
        });
        let answers = join_all(accepts).await;
        let mut contest = Contest { session: session.clone(), winners: Vec::new(), unknown: 0, stored: None };
        for (caller, answer) in called.iter().zip(answers) {
            match answer {
                Some(data) if data["acceptChatSession"]["userErrors"] == json!([]) => {
                    contest.winners.push(caller.name.clone());
                }
                Some(_) => {}
                None => contest.unknown += 1,
            }
        }
        contests.push(contest);
        finish(&context, &visitor, &session, number).await;
    }
    contests
}

/// Fills in who accepted each session according to the store; sessions that could not be read are taken out and
/// returned.
pub async fn look_up(
    context: &Context,
    admin: &Caller,
    called: &[Caller],
    contests: &mut Vec<Contest>,
) -> Vec<String> {
    let query = "query($id: ID!) { chatSession(id: $id) { acceptedBy { id } } }";
    let mut unread = Vec::new();
    for contest in contests.iter_mut() {
        let variables = json!({ "id": contest.session });
        let Some(data) = context.ask_until_answered(admin, 0, query, &variables).await else {
            unread.push(format!("session {} could not be read", contest.session));
            continue;
        };
        let id = data["chatSession"]["acceptedBy"]["id"].as_str().map(str::to_owned);
        contest.stored = id.map(|id| {
            let caller = called.iter().find(|caller| caller.id == id);
            caller.map_or_else(|| format!("somebody else: {id}"), |caller| caller.name.clone())
        });
    }
    contests.retain(|contest| !unread.iter().any(|line| line.contains(&contest.session)));
    unread
}

/// Lets sessions ring that nobody answers, and says which of them did not end in time.
pub async fn ring_unanswered(
    context: Context,
    visitor: Caller,
    called: Caller,
    chat: usize,
    within: Duration,
) -> Vec<String> {
    let query = "query($id: ID!) { chatSession(id: $id) { state ringsUntil } }";
    let mut late = Vec::new();
    for number in 0.. {
        if !context.pause(Duration::from_millis(300)).await {
            break;
        }
        let called = std::slice::from_ref(&called);
        let Some(session) = ring(&context, &visitor, called, chat, RING_SECONDS, number).await else {
            continue;
        };
        let mut stopped = None;
        loop {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let variables = json!({ "id": session });
            let Some(data) = context.ask_until_answered(&visitor, number, query, &variables).await else {
                break;
            };
            if data["chatSession"]["state"] == "FINISHED" {
                break;
            }
            // While there are faults it may take any time; after them it may not.
            if context.stop.is_cancelled() && stopped.get_or_insert_with(Instant::now).elapsed() > within {
                late.push(format!("session {session} still rings: {}", data["chatSession"]));
                finish(&context, &visitor, &session, number).await;
                break;
            }
        }
    }
    late
}

/// Starts a session; the one that is open already is finished first.
async fn ring(
    context: &Context,
    visitor: &Caller,
    called: &[Caller],
    chat: usize,
    seconds: u32,
    number: usize,
) -> Option<String> {
    let query = mutation("createChatSession", "chatSession { id } chat { openChatSession { id } }");
    let called: Vec<_> = called.iter().map(|caller| &caller.id).collect();
    let input = json!({ "in": { "chat": { "id": context.chats[chat].id, "participantIds": called } }, "start": true,
        "ringSeconds": seconds, "requestId": format!("{} {number}", visitor.name) });
    let variables = json!({ "input": input });
    let payload =
        context.ask_until_answered(visitor, number, &query, &variables).await?["createChatSession"].take();
    if payload["userErrors"] == json!([]) {
        return payload["chatSession"]["id"].as_str().map(str::to_owned);
    }
    if let Some(open) =
        payload["chat"]["openChatSession"]["id"].as_str().or(payload["chatSession"]["id"].as_str())
    {
        finish(context, visitor, open, number).await;
    }
    None
}

async fn finish(context: &Context, visitor: &Caller, session: &str, node: usize) {
    let variables: Value = json!({ "input": { "chatSessionId": session } });
    let _ = context.ask_until_answered(visitor, node, &mutation("finishChatSession", ""), &variables).await;
}
