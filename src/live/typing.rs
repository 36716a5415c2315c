//! Typing indicators: never stored, sent at most a few times per second and chat, and expiring on their own.

use super::lock;
use chrono::TimeDelta;
use entity::{ActorId, ChatId, Timestamp};
use std::collections::HashMap;
use std::sync::Mutex;
use uuid::Uuid;

/// How long a typing indicator lasts after the actor's last signal.
pub(super) const LASTS: TimeDelta = TimeDelta::seconds(15);
/// The maximum number of typing actors kept per chat. Further ones are not shown.
const TYPERS: usize = 100;
/// The maximum number of chats with typing actors.
const CHATS: usize = 50_000;
/// The minimum time between two updates of a chat. Changes in between are sent with the next tick.
const INTERVAL: TimeDelta = TimeDelta::milliseconds(300);
/// How often an ongoing indicator is sent to other nodes again, so that it does not expire there.
const REPEAT: TimeDelta = TimeDelta::seconds(5);

/// The typing actors of all chats known to this node.
#[derive(Default)]
pub(super) struct Typing(Mutex<HashMap<ChatId, Chat>>);

#[derive(Default)]
struct Chat {
    typers: Vec<Typer>,
    told_at: Option<Timestamp>,
    /// Whether a change was not sent to readers yet.
    is_untold: bool,
    /// Whether a change on this node was not sent to other nodes yet.
    is_unsent: bool,
}

struct Typer {
    actor_id: ActorId,
    expires_at: Timestamp,
    /// The node that received the signal. `None` for this one.
    node: Option<Uuid>,
}

/// An update of a chat to publish.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) chat_id: ChatId,
    /// The typing actors on this node, if other nodes must be informed.
    pub(super) here: Option<Vec<ActorId>>,
}

impl Typing {
    /// Records a signal of an actor on this node.
    pub(super) fn set(
        &self,
        chat_id: ChatId,
        actor_id: ActorId,
        is_typing: bool,
        now: Timestamp,
    ) -> Option<Told> {
        let mut chats = lock(&self.0);
        if !chats.contains_key(&chat_id) && (!is_typing || chats.len() >= CHATS) {
            return None;
        }
        let chat = chats.entry(chat_id).or_default();
        let at = chat.typers.iter().position(|typer| typer.actor_id == actor_id && typer.node.is_none());
        match (at, is_typing) {
            (Some(at), true) => {
                chat.typers[at].expires_at = now.plus(LASTS);
                if chat.told_at.is_none_or(|told_at| now.since(told_at) >= REPEAT) {
                    chat.touch();
                }
            }
            (Some(at), false) => {
                chat.typers.remove(at);
                chat.touch();
            }
            (None, true) if chat.typers.len() < TYPERS => {
                chat.typers.push(Typer { actor_id, expires_at: now.plus(LASTS), node: None });
                chat.touch();
            }
            (None, true | false) => {}
        }
        chat.tell(chat_id, now)
    }

    /// Records all typing actors of another node.
    pub(super) fn set_remote(
        &self,
        chat_id: ChatId,
        node: Uuid,
        actor_ids: &[ActorId],
        now: Timestamp,
    ) -> Option<Told> {
        let mut chats = lock(&self.0);
        if !chats.contains_key(&chat_id) && (actor_ids.is_empty() || chats.len() >= CHATS) {
            return None;
        }
        let chat = chats.entry(chat_id).or_default();
        chat.typers.retain(|typer| typer.node != Some(node));
        let room = TYPERS.saturating_sub(chat.typers.len());
        chat.typers.extend(actor_ids.iter().take(room).map(|actor_id| Typer {
            actor_id: *actor_id,
            expires_at: now.plus(LASTS),
            node: Some(node),
        }));
        chat.is_untold = true;
        chat.tell(chat_id, now)
    }

    /// Ends the typing indicators of these actors on all nodes, and publishes this at once: their message, or
    /// their leaving, is published at the same time. Other nodes receive the remaining actors of this node.
    pub(super) fn end(&self, chat_id: ChatId, actor_ids: &[ActorId], now: Timestamp) -> Option<Told> {
        let mut chats = lock(&self.0);
        let chat = chats.get_mut(&chat_id).filter(|_| !actor_ids.is_empty())?;
        let before = chat.typers.len();
        let ends = |typer: &Typer| actor_ids.contains(&typer.actor_id);
        let is_here = chat.typers.iter().any(|typer| typer.node.is_none() && ends(typer));
        chat.typers.retain(|typer| !ends(typer));
        if chat.typers.len() == before {
            return None;
        }
        chat.is_untold = true;
        chat.is_unsent |= is_here;
        chat.told_at = None;
        chat.tell(chat_id, now)
    }

    /// The typing actors without duplicates, each with its expiry.
    pub(super) fn of_chat(&self, chat_id: ChatId, now: Timestamp) -> Vec<(ActorId, Timestamp)> {
        let chats = lock(&self.0);
        let mut typers: Vec<(ActorId, Timestamp)> = Vec::new();
        for typer in chats.get(&chat_id).into_iter().flat_map(|chat| &chat.typers) {
            if typer.expires_at <= now {
                continue;
            }
            match typers.iter_mut().find(|(actor_id, _)| *actor_id == typer.actor_id) {
                Some((_, expires_at)) => *expires_at = typer.expires_at.max(*expires_at),
                None => typers.push((typer.actor_id, typer.expires_at)),
            }
        }
        typers
    }

    /// Removes expired indicators, and returns the updates to publish.
    pub(super) fn tick(&self, now: Timestamp) -> Vec<Told> {
        let mut chats = lock(&self.0);
        let mut told = Vec::new();
        chats.retain(|chat_id, chat| {
            let before = chat.typers.len();
            chat.typers.retain(|typer| typer.expires_at > now);
            chat.is_untold |= chat.typers.len() < before;
            told.extend(chat.tell(*chat_id, now));
            chat.is_untold || !chat.typers.is_empty()
        });
        told
    }
}

impl Chat {
    fn touch(&mut self) {
        self.is_untold = true;
        self.is_unsent = true;
    }

    fn tell(&mut self, chat_id: ChatId, now: Timestamp) -> Option<Told> {
        if !self.is_untold || self.told_at.is_some_and(|told_at| now.since(told_at) < INTERVAL) {
            return None;
        }
        self.told_at = Some(now);
        self.is_untold = false;
        let here = std::mem::take(&mut self.is_unsent).then(|| {
            self.typers.iter().filter(|typer| typer.node.is_none()).map(|typer| typer.actor_id).collect()
        });
        Some(Told { chat_id, here })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp(1_800_000_000_000);

    fn ids() -> (ChatId, ActorId) {
        (ChatId(Uuid::from_u128(1)), ActorId(Uuid::from_u128(2)))
    }

    #[test]
    fn typing_is_told_once_and_expires_by_itself() {
        let (typing, (chat, actor)) = (Typing::default(), ids());
        assert_eq!(typing.set(chat, actor, true, T), Some(Told { chat_id: chat, here: Some(vec![actor]) }));
        assert_eq!(typing.set(chat, actor, true, T.plus(TimeDelta::seconds(1))), None);
        assert_eq!(typing.of_chat(chat, T).len(), 1);
        assert_eq!(typing.tick(T.plus(TimeDelta::seconds(15))), Vec::new());
        let end = T.plus(TimeDelta::seconds(16));
        assert!(typing.of_chat(chat, end).is_empty());
        assert_eq!(typing.tick(end), vec![Told { chat_id: chat, here: None }]);
        assert!(lock(&typing.0).is_empty());
    }

    #[test]
    fn quick_changes_are_told_together() {
        let (typing, (chat, actor)) = (Typing::default(), ids());
        typing.set(chat, actor, true, T);
        assert_eq!(typing.set(chat, actor, false, T.plus(TimeDelta::milliseconds(10))), None);
        assert_eq!(
            typing.tick(T.plus(TimeDelta::milliseconds(500))),
            vec![Told { chat_id: chat, here: Some(Vec::new()) }]
        );
    }

    #[test]
    fn sending_ends_typing_at_once_wherever_it_was_said() {
        let (typing, (chat, actor)) = (Typing::default(), ids());
        let other = ActorId(Uuid::from_u128(3));
        typing.set(chat, actor, true, T);
        typing.set(chat, other, true, T);
        typing.set_remote(chat, Uuid::from_u128(9), &[actor], T);
        let at = T.plus(TimeDelta::milliseconds(10));
        assert_eq!(typing.end(chat, &[actor], at), Some(Told { chat_id: chat, here: Some(vec![other]) }));
        assert_eq!(typing.of_chat(chat, at), vec![(other, T.plus(LASTS))]);
        assert_eq!(typing.end(chat, &[actor], at), None);
        typing.set_remote(chat, Uuid::from_u128(9), &[actor], at);
        assert_eq!(typing.end(chat, &[actor], at), Some(Told { chat_id: chat, here: None }));
    }

    #[test]
    fn what_another_node_says_replaces_what_it_said() {
        let (typing, (chat, actor)) = (Typing::default(), ids());
        let node = Uuid::from_u128(9);
        assert_eq!(typing.set_remote(chat, node, &[actor], T), Some(Told { chat_id: chat, here: None }));
        assert_eq!(typing.of_chat(chat, T), vec![(actor, T.plus(LASTS))]);
        typing.set_remote(chat, node, &[], T.plus(TimeDelta::seconds(1)));
        assert!(typing.of_chat(chat, T).is_empty());
    }
}
