//! The root fields of subscriptions. Each item records its cursor, so that the response has it too and a
//! generic client can resume.

mod event;
mod items;

use super::caller::{caller, live, pulse};
use super::chat::{Chat, ChatFilterInput, filter_within};
use super::error::{Fault, Result};
use super::id::{Kind, decode_any};
use super::loaders::Seen;
use super::message::{Message, MessageEdge};
use super::presence::Presence;
use super::resume::Resume;
use super::room::Room;
use super::scalar::DateTime;
use super::session::ChatSession;
use crate::domain::chat_filter::ChatFilter;
use crate::domain::limits;
use crate::live::{ChatScope, LiveError, RoomItem};
use async_graphql::{Context, ID, OneofObject, Subscription};
use entity::{ActorId, ChatId, RoomId, SessionId};
use event::{
    ChatChangedPayload, ChatEventsPayload, ChatSessionChangedPayload, PresenceChangedPayload,
    RoomChangedPayload, ViewerEventsPayload, chat_event, viewer_event,
};
use futures_util::Stream;
use items::{Made, items};
use std::sync::Arc;

/// The list of chats to follow.
#[derive(OneofObject)]
#[graphql(name = "ChatScope")]
#[expect(clippy::enum_variant_names, reason = "the names are those of the API")]
enum ChatScopeInput {
    /// Follows the chats in this room.
    RoomId(ID),
    /// Follows the chats with this visitor.
    VisitorId(ID),
    /// Follows the chats in which this user is a participant.
    UserId(ID),
    /// Follows the chats in which this user is present.
    PresentUserId(ID),
}

/// Live updates. A front end typically uses one WebSocket with one `viewerEvents` subscription, and one
/// `chatEvents` subscription per chat on the screen. Each event's cursor is also in `extensions.cursor` of the
/// response. `extensions.after` of the request takes precedence over the `after` argument, so one generic link
/// can resume every subscription.
pub struct Subscription;

/// Live updates. A front end typically uses one WebSocket with one `viewerEvents` subscription, and one
/// `chatEvents` subscription per chat on the screen. Each event's cursor is also in `extensions.cursor` of the
/// response. `extensions.after` of the request takes precedence over the `after` argument, so one generic link
/// can resume every subscription.
#[Subscription]
impl Subscription {
    /// New messages of a chat. With `after`, replays missed messages in order, then continues live. No gaps,
    /// no duplicates. Cursors never expire.
    async fn message_added(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the chat.")] chat_id: ID,
        #[graphql(desc = "A cursor of the chat. Sends only events after it.")] after: Option<String>,
    ) -> Result<impl Stream<Item = MessageEdge>> {
        let Following { resume, after } = following(context, after)?;
        let stream =
            live(context)?.messages(&caller(context)?.viewer, chat(&chat_id)?, after.as_deref()).await?;
        Ok(items(live(context)?.clone(), resume, stream, |item| {
            let event = MessageEdge { cursor: item.cursor.clone(), node: Message(item.message) };
            Some(Made { cursor: Some(item.cursor), event })
        }))
    }

    /// Users who join and leave a chat, and renewals of their presences. Renewals are sent at most once per
    /// presence in a quarter of the presence TTL (15 seconds by default), and are not replayed after a
    /// reconnect. Fails with `CURSOR_EXPIRED` if the events after the cursor are no longer stored.
    async fn presence_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the chat.")] chat_id: ID,
        #[graphql(desc = "A cursor of the chat. Sends only events after it.")] after: Option<String>,
    ) -> Result<impl Stream<Item = PresenceChangedPayload>> {
        let Following { resume, after } = following(context, after)?;
        let viewer = &caller(context)?.viewer;
        let stream = live(context)?.presence_changes(viewer, chat(&chat_id)?, after.as_deref()).await?;
        Ok(items(live(context)?.clone(), resume, stream, |item| {
            let event = PresenceChangedPayload {
                cursor: item.cursor.clone(),
                at: DateTime(item.at),
                action: item.action.into(),
                presence: Presence(item.presence),
            };
            Some(Made { cursor: Some(item.cursor), event })
        }))
    }

    /// Changes of one chat session. Fails with `CURSOR_EXPIRED` if the events after the cursor are no longer
    /// stored.
    async fn chat_session_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the chat session.")] chat_session_id: ID,
        #[graphql(desc = "A cursor of the session's chat. Sends only events after it.")] after: Option<
            String,
        >,
    ) -> Result<impl Stream<Item = ChatSessionChangedPayload>> {
        let Following { resume, after } = following(context, after)?;
        let id = Kind::ChatSession.decode(&chat_session_id)?.map(SessionId).ok_or(LiveError::NotFound)?;
        let stream = live(context)?.session_changes(&caller(context)?.viewer, id, after.as_deref()).await?;
        Ok(items(live(context)?.clone(), resume, stream, |item| {
            let event = ChatSessionChangedPayload {
                cursor: item.cursor.clone(),
                at: DateTime(item.at),
                action: item.action.map(Into::into),
                chat_session: ChatSession(item.session),
            };
            Some(Made { cursor: Some(item.cursor), event })
        }))
    }

    /// A room: once at the start, and again each time its `name`, `access` or `isStaffed` changes, within 5
    /// seconds. Completes when the viewer can no longer see the room.
    async fn room_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the room.")] room_id: ID,
    ) -> Result<impl Stream<Item = RoomChangedPayload>> {
        let Following { resume, .. } = following(context, None)?;
        let id = RoomId(Kind::Room.decode(&room_id)?.ok_or(LiveError::NotFound)?);
        let stream = live(context)?.room_changes(&caller(context)?.viewer, id).await?;
        Ok(items(live(context)?.clone(), resume, stream, |RoomItem { at, room }| {
            let event = RoomChangedPayload { at: DateTime(at), room: Room(room) };
            Some(Made { cursor: None, event })
        }))
    }

    /// All events in a chat, in order. With `after`, replays missed events, then continues live. Starts with
    /// `ChatResetEvent` if `after` is absent or too old. While it is open, it renews a user's presence in the
    /// chat.
    async fn chat_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the chat.")] chat_id: ID,
        #[graphql(desc = "A cursor of the chat. Sends only events after it.")] after: Option<String>,
    ) -> Result<impl Stream<Item = ChatEventsPayload>> {
        let Following { resume, after } = following(context, after)?;
        let id = chat(&chat_id)?;
        let stream = live(context)?
            .chat_events(&caller(context)?.viewer, pulse(context), id, after.as_deref())
            .await?;
        Ok(items(live(context)?.clone(), resume, stream, |item| {
            let event = chat_event(item);
            Some(Made { cursor: event.cursor.clone(), event })
        }))
    }

    /// Events across the viewer's chats: the inbox, the queues of the given rooms, and chat sessions in which
    /// the viewer is a participant. Each event has the current state of the chat, so intermediate states can be
    /// missing. Starts with `ViewerResetEvent` if `after` is absent or too old. While it is open, it renews all
    /// presences of a user.
    async fn viewer_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ids of rooms whose queues to follow, up to 100.")] room_ids: Option<Vec<ID>>,
        #[graphql(desc = "A cursor of this stream, or the `eventCursor` of a page of chats.")] after: Option<
            String,
        >,
    ) -> Result<impl Stream<Item = ViewerEventsPayload>> {
        let Following { resume, after } = following(context, after)?;
        let ids = room_ids.unwrap_or_default();
        if ids.len() > limits::FOLLOWED_ROOMS {
            return Err(Fault::bad_input("`roomIds` must have at most 100 items."));
        }
        let mut room_ids = Vec::with_capacity(ids.len());
        for id in &ids {
            room_ids.push(RoomId(Kind::Room.decode(id)?.ok_or(LiveError::NotFound)?));
        }
        let caller = caller(context)?;
        for room_id in &room_ids {
            caller.load(Seen(*room_id)).await?.ok_or(LiveError::NotFound)?;
        }
        let rooms = rooms_of(context, &room_ids).await?;
        let stream =
            live(context)?.viewer_events(&caller.viewer, pulse(context), room_ids, after.as_deref()).await?;
        Ok(items(live(context)?.clone(), resume, stream, move |item| {
            Some(Made { cursor: Some(item.cursor.clone()), event: viewer_event(item, &rooms) })
        }))
    }

    /// Chats that enter, change in, and leave a list. Each event has the current state of the chat, and can
    /// be sent again after a reconnect, so update chats by id. Fails with `CURSOR_EXPIRED` if the cursor is
    /// more than 24 hours old.
    async fn chat_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The list of chats to follow.", name = "in")] scope: ChatScopeInput,
        #[graphql(desc = "Only chats that match this filter.")] filter: Option<ChatFilterInput>,
        #[graphql(desc = "A cursor of this stream, or the `eventCursor` of a page of chats.")] after: Option<
            String,
        >,
    ) -> Result<impl Stream<Item = ChatChangedPayload>> {
        let Following { resume, after } = following(context, after)?;
        let scope = decode_scope(&scope)?;
        let caller = caller(context)?;
        let filter = filter_within(caller, ChatFilter::default(), filter).await?.ok_or_else(|| {
            Fault::bad_input("The filter has an id of the wrong type, so it cannot match any chat.")
        })?;
        let viewer = &caller.viewer;
        let stream = live(context)?.chat_changes(viewer, scope, filter, after.as_deref()).await?;
        Ok(items(live(context)?.clone(), resume, stream, |item| {
            let event = ChatChangedPayload {
                cursor: item.cursor.clone(),
                at: DateTime(item.at),
                action: item.action.into(),
                chat_id: Kind::Chat.encode(item.chat_id.0),
                chat: item.chat.map(Chat::shared),
            };
            Some(Made { cursor: Some(item.cursor), event })
        }))
    }
}

/// The resumption of a subscription.
struct Following {
    resume: Arc<Resume>,
    after: Option<String>,
}

/// The cursor to resume from. The request's `extensions.after` takes precedence over the argument, because
/// clients resend their first variables unchanged.
fn following(context: &Context<'_>, after: Option<String>) -> Result<Following> {
    let resume =
        context.data_opt::<Arc<Resume>>().ok_or_else(|| Fault::internal("an operation has no resume"))?;
    let after = resume.after().map(str::to_owned).or(after);
    Ok(Following { resume: Arc::clone(resume), after })
}

fn chat(id: &ID) -> Result<ChatId> {
    Ok(ChatId(Kind::Chat.decode(id)?.ok_or(LiveError::NotFound)?))
}

fn decode_scope(scope: &ChatScopeInput) -> Result<ChatScope> {
    let expect =
        |kind: Kind, id: &ID| -> Result<uuid::Uuid> { Ok(kind.decode(id)?.ok_or(LiveError::NotFound)?) };
    Ok(match scope {
        ChatScopeInput::RoomId(id) => ChatScope::Room(RoomId(expect(Kind::Room, id)?)),
        ChatScopeInput::VisitorId(id) => ChatScope::Visitor(ActorId(expect(Kind::Visitor, id)?)),
        ChatScopeInput::UserId(id) => match decode_any(id)? {
            (Kind::User | Kind::Visitor, uuid) => ChatScope::User(ActorId(uuid)),
            _ => return Err(LiveError::NotFound.into()),
        },
        ChatScopeInput::PresentUserId(id) => ChatScope::PresentUser(ActorId(expect(Kind::User, id)?)),
    })
}

async fn rooms_of(context: &Context<'_>, ids: &[RoomId]) -> Result<Vec<Room>> {
    let caller = caller(context)?;
    let mut rooms = Vec::with_capacity(ids.len());
    for id in ids {
        rooms.extend(caller.load(*id).await?.map(Room));
    }
    Ok(rooms)
}
