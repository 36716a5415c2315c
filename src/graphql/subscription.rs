//! The roots of subscriptions, and what their events carry. Each item notes its cursor, so that the answer
//! carries it too and a generic client can resume.

use super::caller::{caller, live};
use super::chat::{Chat, ChatEdge, ChatFilterInput, decode_filter};
use super::connection::encode_key;
use super::enums::{ChangeAction, ChatSessionDirective, ResetReason};
use super::error::{Fault, Result};
use super::id::{Kind, decode_any};
use super::message::{Message, MessageEdge};
use super::participation::Participation;
use super::presence::Presence;
use super::resume::Resume;
use super::room::Room;
use super::scalar::DateTime;
use super::session::ChatSession;
use super::viewer::Viewer;
use crate::domain::chat_filter::ChatFilter;
use crate::domain::event::{Signal, Subject};
use crate::domain::limits;
use crate::domain::page::Key;
use crate::live::{ChatItem, ChatScope, LiveError, ViewerChange, ViewerItem};
use async_graphql::{Context, ID, OneofObject, SimpleObject, Subscription, Union};
use entity::{ActorId, ChatId, EventKind, RoomId, SessionId, Timestamp, chat};
use futures_util::{Stream, StreamExt};
use std::sync::Arc;

/// Users joining and leaving a chat.
#[derive(SimpleObject)]
struct PresenceChange {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    cursor: String,
    /// When it happened.
    at: DateTime,
    /// ADDED: joined. REMOVED: left.
    action: ChangeAction,
    /// The presence.
    presence: Presence,
}

/// A change of a session.
#[derive(SimpleObject)]
struct ChatSessionChange {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    cursor: String,
    /// When it happened.
    at: DateTime,
    /// What moved it on; null where its own fields changed.
    directive: Option<ChatSessionDirective>,
    /// The session, as it then stood or later.
    session: ChatSession,
}

/// A chat that came into, changed in or left a place.
#[derive(SimpleObject)]
struct ChatChange {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    cursor: String,
    /// When it happened.
    at: DateTime,
    /// What became of it there.
    action: ChangeAction,
    /// The chat's id.
    chat_id: ID,
    /// The chat; null once it can't be seen.
    chat: Option<Chat>,
}

/// The place whose chats are followed: exactly one field is given.
#[derive(OneofObject)]
#[graphql(name = "ChatScope")]
enum ChatScopeInput {
    /// Chats in this room.
    RoomId(ID),
    /// Chats with this visitor.
    VisitorId(ID),
    /// Chats that this user takes part in.
    UserId(ID),
    /// Chats that this user is present in.
    PresentUserId(ID),
}

/// One entry of a chat's log.
#[derive(SimpleObject)]
struct ChatEvent {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    cursor: String,
    /// When it happened.
    at: DateTime,
    /// The chat's id.
    chat_id: ID,
    /// The chat, with its counters; null once it can't be seen.
    chat: Option<Chat>,
    /// What happened.
    change: ChatEventChange,
}

/// What can happen in a chat.
#[derive(Union)]
#[allow(clippy::large_enum_variant)]
enum ChatEventChange {
    Reset(ChatReset),
    Gone(ChatGone),
    Changed(ChatChanged),
    MessageAdded(MessageAdded),
    PresenceAdded(PresenceAdded),
    PresenceChanged(PresenceChanged),
    PresenceEnded(PresenceEnded),
    ParticipationAdded(ParticipationAdded),
    ParticipationChanged(ParticipationChanged),
    ParticipationEnded(ParticipationEnded),
    SessionAdded(ChatSessionAdded),
    SessionChanged(ChatSessionChanged),
    Typing(TypingChanged),
}

/// Fetch the chat afresh; the stream goes on from here.
#[derive(SimpleObject)]
struct ChatReset {
    /// Why.
    reason: ResetReason,
    /// The chat.
    chat: Chat,
}

/// The viewer can no longer see the chat; a stream of this chat alone ends.
#[derive(SimpleObject)]
struct ChatGone {
    /// The chat's id.
    removed_chat_id: ID,
}

/// The chat's own fields changed: name, detail, privacy, end.
#[derive(SimpleObject)]
struct ChatChanged {
    /// The chat.
    chat: Chat,
}

/// A message was added.
#[derive(SimpleObject)]
struct MessageAdded {
    /// The message with its cursor in `Chat.messages`.
    message_edge: MessageEdge,
}

/// A user joined.
#[derive(SimpleObject)]
struct PresenceAdded {
    /// The presence.
    presence: Presence,
}

/// A presence was renewed. A signal: it has no place in the log.
#[derive(SimpleObject)]
struct PresenceChanged {
    /// The presence.
    presence: Presence,
}

/// A user left, or was not heard from.
#[derive(SimpleObject)]
struct PresenceEnded {
    /// The presence.
    presence: Presence,
    /// Its id.
    ended_presence_id: ID,
}

/// An actor takes part from now on.
#[derive(SimpleObject)]
struct ParticipationAdded {
    /// The participation.
    participation: Participation,
}

/// A participation changed, as when its actor has read. Read marks are told as signals, without a place in the
/// log; after a reconnect they are told again.
#[derive(SimpleObject)]
struct ParticipationChanged {
    /// The participation.
    participation: Participation,
}

/// An actor takes part no longer.
#[derive(SimpleObject)]
struct ParticipationEnded {
    /// The participation.
    participation: Participation,
    /// Its id.
    ended_participation_id: ID,
}

/// A session was created.
#[derive(SimpleObject)]
struct ChatSessionAdded {
    /// The session.
    session: ChatSession,
}

/// A session changed.
#[derive(SimpleObject)]
struct ChatSessionChanged {
    /// The session, as it then stood or later.
    session: ChatSession,
    /// What moved it on; null where its own fields changed.
    directive: Option<ChatSessionDirective>,
}

/// Who types changed. A signal: never stored, never told again.
#[derive(SimpleObject)]
struct TypingChanged {
    /// The chat; `typing` says who types.
    chat: Chat,
}

/// Something that concerns the viewer.
#[derive(SimpleObject)]
struct ViewerEvent {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    cursor: String,
    /// When it happened.
    at: DateTime,
    /// The viewer, with what is unread now.
    viewer: Viewer,
    /// What happened.
    change: ViewerEventChange,
}

/// What can concern a viewer.
#[derive(Union)]
#[allow(clippy::large_enum_variant)]
enum ViewerEventChange {
    Reset(ViewerReset),
    ChatChanged(ChatChanged),
    ChatGone(ChatGone),
    QueueChatAdded(QueueChatAdded),
    QueueChatRemoved(QueueChatRemoved),
    InboxChatAdded(InboxChatAdded),
    InboxChatRemoved(InboxChatRemoved),
    SessionAdded(ChatSessionAdded),
    SessionChanged(ChatSessionChanged),
}

/// Fetch everything afresh; the stream goes on from here.
#[derive(SimpleObject)]
struct ViewerReset {
    /// Why.
    reason: ResetReason,
}

/// A chat waits for an answer in one of the rooms. Can be told again after a reconnect: apply by id.
#[derive(SimpleObject)]
struct QueueChatAdded {
    /// The chat.
    chat_edge: ChatEdge,
}

/// A chat no longer waits for an answer.
#[derive(SimpleObject)]
struct QueueChatRemoved {
    /// The chat's id.
    removed_chat_id: ID,
    /// The room.
    room: Option<Room>,
}

/// A chat came into the viewer's inbox. Can be told again after a reconnect: apply by id.
#[derive(SimpleObject)]
struct InboxChatAdded {
    /// The chat.
    chat_edge: ChatEdge,
}

/// A chat left the viewer's inbox.
#[derive(SimpleObject)]
struct InboxChatRemoved {
    /// The chat's id.
    removed_chat_id: ID,
}

/// Everything that can be followed. A front end needs one `viewerEvents`, and one `chatEvents` for each chat on
/// its screen, all on one socket. Each event's cursor is also in `extensions.cursor`, and `extensions.after` of
/// a subscribe message goes on from there, so that one generic link resumes every subscription.
pub struct Subscription;

/// Everything that can be followed. A front end needs one `viewerEvents`, and one `chatEvents` for each chat on
/// its screen, all on one socket. Each event's cursor is also in `extensions.cursor`, and `extensions.after` of
/// a subscribe message goes on from there, so that one generic link resumes every subscription.
#[Subscription]
impl Subscription {
    /// New messages of a chat. With `after`, what was missed comes first, then what is new: in order, no gap, no
    /// repeat. Resumes from any age.
    async fn message_added(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat.")] chat_id: ID,
        #[graphql(desc = "A cursor of the chat: only what comes after it.")] after: Option<String>,
    ) -> Result<impl Stream<Item = MessageEdge>> {
        let Following { resume, after } = following(context, after)?;
        let stream =
            live(context)?.messages(&caller(context)?.viewer, chat(&chat_id)?, after.as_deref()).await?;
        Ok(stream.map(move |item| {
            resume.set_cursor(item.cursor.clone());
            MessageEdge { cursor: item.cursor, node: Message(item.message) }
        }))
    }

    /// Users joining and leaving a chat. CURSOR_EXPIRED where what came after the cursor is not kept any more.
    async fn presence_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat.")] chat_id: ID,
        #[graphql(desc = "A cursor of the chat: only what comes after it.")] after: Option<String>,
    ) -> Result<impl Stream<Item = PresenceChange>> {
        let Following { resume, after } = following(context, after)?;
        let viewer = &caller(context)?.viewer;
        let stream = live(context)?.presence_changes(viewer, chat(&chat_id)?, after.as_deref()).await?;
        Ok(stream.map(move |item| {
            resume.set_cursor(item.cursor.clone());
            PresenceChange {
                cursor: item.cursor,
                at: DateTime(item.at),
                action: item.action.into(),
                presence: Presence(item.presence),
            }
        }))
    }

    /// One session's changes. CURSOR_EXPIRED where what came after the cursor is not kept any more.
    async fn chat_session_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session.")] chat_session_id: ID,
        #[graphql(desc = "A cursor of its chat: only what comes after it.")] after: Option<String>,
    ) -> Result<impl Stream<Item = ChatSessionChange>> {
        let Following { resume, after } = following(context, after)?;
        let id = Kind::ChatSession.decode(&chat_session_id)?.map(SessionId).ok_or(LiveError::NotFound)?;
        let stream = live(context)?.session_changes(&caller(context)?.viewer, id, after.as_deref()).await?;
        Ok(stream.map(move |item| {
            resume.set_cursor(item.cursor.clone());
            ChatSessionChange {
                cursor: item.cursor,
                at: DateTime(item.at),
                directive: item.directive.map(Into::into),
                session: ChatSession(item.session),
            }
        }))
    }

    /// Everything that happens in a chat, in order, resumable. Starts with ChatReset where `after` is absent or
    /// cannot be honoured. Keeps a user's presence in the chat alive.
    async fn chat_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat.")] chat_id: ID,
        #[graphql(desc = "A cursor of the chat: only what comes after it.")] after: Option<String>,
    ) -> Result<impl Stream<Item = ChatEvent>> {
        let Following { resume, after } = following(context, after)?;
        let id = chat(&chat_id)?;
        let stream = live(context)?.chat_events(&caller(context)?.viewer, id, after.as_deref()).await?;
        Ok(stream.filter_map(move |item| {
            let event = chat_event(item);
            // What ends the stream has no cursor: there is nothing to go on with.
            if let Some(event) = event.as_ref().filter(|event| !event.cursor.is_empty()) {
                resume.set_cursor(event.cursor.clone());
            }
            std::future::ready(event)
        }))
    }

    /// Everything that concerns the viewer across chats: their inbox, the queues of the given rooms, the sessions
    /// they are called to. Carries state, not history: each change brings the whole chat. Starts with ViewerReset
    /// where `after` is absent or cannot be honoured. Keeps all presences of a user alive.
    async fn viewer_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Rooms whose queues to follow: up to 100.")] room_ids: Option<Vec<ID>>,
        #[graphql(desc = "A cursor of this stream, or a chat page's eventCursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = ViewerEvent>> {
        let Following { resume, after } = following(context, after)?;
        let ids = room_ids.unwrap_or_default();
        if ids.len() > limits::FOLLOWED_ROOMS {
            return Err(Fault::bad_input("roomIds has more than 100 items."));
        }
        let mut room_ids = Vec::with_capacity(ids.len());
        for id in &ids {
            room_ids.push(RoomId(Kind::Room.decode(id)?.ok_or(LiveError::NotFound)?));
        }
        let caller = caller(context)?;
        for room_id in &room_ids {
            caller.load(*room_id).await?.ok_or(LiveError::NotFound)?;
        }
        let rooms = rooms_of(context, &room_ids).await?;
        let stream = live(context)?.viewer_events(&caller.viewer, room_ids, after.as_deref()).await?;
        Ok(stream.map(move |item| {
            resume.set_cursor(item.cursor.clone());
            viewer_event(item, &rooms)
        }))
    }

    /// Chats coming into, changing in and leaving one place. Carries state, not history: what comes again after a
    /// reconnect is applied by id. CURSOR_EXPIRED after a day: read the list again.
    async fn chat_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The place.", name = "in")] scope: ChatScopeInput,
        #[graphql(desc = "Only chats for which all of this holds.")] filter: Option<ChatFilterInput>,
        #[graphql(desc = "A cursor of this stream, or a chat page's eventCursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = ChatChange>> {
        let Following { resume, after } = following(context, after)?;
        let scope = decode_scope(&scope)?;
        let filter = decode_filter(ChatFilter::default(), filter)?
            .ok_or_else(|| Fault::bad_input("The filter names something of another type."))?;
        let viewer = &caller(context)?.viewer;
        let stream = live(context)?.chat_changes(viewer, scope, filter, after.as_deref()).await?;
        Ok(stream.map(move |item| {
            resume.set_cursor(item.cursor.clone());
            ChatChange {
                cursor: item.cursor,
                at: DateTime(item.at),
                action: item.action.into(),
                chat_id: Kind::Chat.encode(item.chat_id.0),
                chat: item.chat.map(Chat::shared),
            }
        }))
    }
}

/// How a subscription is resumed.
struct Following {
    resume: Arc<Resume>,
    after: Option<String>,
}

/// What came with the request wins over the argument: clients resend their first variables unchanged.
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

fn chat_event(item: ChatItem) -> Option<ChatEvent> {
    let (cursor, at, chat_id, chat, change) = match item {
        ChatItem::Reset { cursor, at, reason, chat } => {
            let change = ChatEventChange::Reset(ChatReset {
                reason: reason.into(),
                chat: Chat::shared(Arc::clone(&chat)),
            });
            (cursor, at, chat.id, Some(chat), change)
        }
        ChatItem::Gone { at, chat_id } => {
            let change = ChatEventChange::Gone(gone(chat_id));
            (String::new(), at, chat_id, None, change)
        }
        ChatItem::Entry { cursor, entry } => {
            let change = entry_change(entry.event.kind, &entry.subject, &entry.chat, &cursor)?;
            (cursor, entry.event.created_at, entry.chat.id, Some(Arc::clone(&entry.chat)), change)
        }
        ChatItem::Signal { cursor, at, chat, signal } => {
            let change = match signal {
                Signal::Participation(row) => ChatEventChange::ParticipationChanged(ParticipationChanged {
                    participation: Participation(row),
                }),
                Signal::Presence(row) => {
                    ChatEventChange::PresenceChanged(PresenceChanged { presence: Presence(row) })
                }
                Signal::Typing => {
                    ChatEventChange::Typing(TypingChanged { chat: Chat::shared(Arc::clone(&chat)) })
                }
            };
            (cursor, at, chat.id, Some(chat), change)
        }
    };
    Some(ChatEvent {
        cursor,
        at: DateTime(at),
        chat_id: Kind::Chat.encode(chat_id.0),
        chat: chat.map(Chat::shared),
        change,
    })
}

/// What an entry of the log says. A kind whose subject is of another type would be a bug; it says nothing.
fn entry_change(
    kind: EventKind,
    subject: &Subject,
    chat: &Arc<chat::Model>,
    cursor: &str,
) -> Option<ChatEventChange> {
    match subject {
        Subject::Chat => Some(ChatEventChange::Changed(ChatChanged { chat: Chat::shared(Arc::clone(chat)) })),
        Subject::Message(row) => {
            let message_edge = MessageEdge { cursor: cursor.to_owned(), node: Message(row.clone()) };
            Some(ChatEventChange::MessageAdded(MessageAdded { message_edge }))
        }
        Subject::Presence(row) => {
            let ended_presence_id = Kind::Presence.encode(row.id.0);
            let presence = Presence(row.clone());
            match kind {
                EventKind::PresenceAdded => Some(ChatEventChange::PresenceAdded(PresenceAdded { presence })),
                EventKind::PresenceEnded => {
                    Some(ChatEventChange::PresenceEnded(PresenceEnded { presence, ended_presence_id }))
                }
                _ => None,
            }
        }
        Subject::Participation(row) => {
            let ended_participation_id = Kind::Participation.encode(row.id.0);
            let participation = Participation(row.clone());
            match kind {
                EventKind::ParticipationAdded => {
                    Some(ChatEventChange::ParticipationAdded(ParticipationAdded { participation }))
                }
                EventKind::ParticipationChanged => {
                    Some(ChatEventChange::ParticipationChanged(ParticipationChanged { participation }))
                }
                EventKind::ParticipationEnded => {
                    Some(ChatEventChange::ParticipationEnded(ParticipationEnded {
                        participation,
                        ended_participation_id,
                    }))
                }
                _ => None,
            }
        }
        Subject::Session(row) => {
            let session = ChatSession(row.clone());
            Some(match kind {
                EventKind::SessionAdded => ChatEventChange::SessionAdded(ChatSessionAdded { session }),
                _ => {
                    let directive = crate::live::directive_of(kind).map(Into::into);
                    ChatEventChange::SessionChanged(ChatSessionChanged { session, directive })
                }
            })
        }
    }
}

async fn rooms_of(context: &Context<'_>, ids: &[RoomId]) -> Result<Vec<Room>> {
    let caller = caller(context)?;
    let mut rooms = Vec::with_capacity(ids.len());
    for id in ids {
        rooms.extend(caller.load(*id).await?.map(Room));
    }
    Ok(rooms)
}

fn viewer_event(item: ViewerItem, rooms: &[Room]) -> ViewerEvent {
    let ViewerItem { cursor, at, change } = item;
    let change = match change {
        ViewerChange::Reset(reason) => ViewerEventChange::Reset(ViewerReset { reason: reason.into() }),
        ViewerChange::ChatChanged(chat) => {
            ViewerEventChange::ChatChanged(ChatChanged { chat: Chat::shared(chat) })
        }
        ViewerChange::ChatGone(chat_id) => ViewerEventChange::ChatGone(gone(chat_id)),
        ViewerChange::QueueChatAdded(chat) => {
            let since = chat.waiting_since.unwrap_or(chat.started_at);
            ViewerEventChange::QueueChatAdded(QueueChatAdded { chat_edge: chat_edge(chat, since) })
        }
        ViewerChange::QueueChatRemoved(chat_id, room_id) => {
            let room = rooms.iter().find(|room| room.0.id == room_id).cloned();
            let removed_chat_id = Kind::Chat.encode(chat_id.0);
            ViewerEventChange::QueueChatRemoved(QueueChatRemoved { removed_chat_id, room })
        }
        ViewerChange::InboxChatAdded(chat) => {
            let active_at = chat.active_at;
            ViewerEventChange::InboxChatAdded(InboxChatAdded { chat_edge: chat_edge(chat, active_at) })
        }
        ViewerChange::InboxChatRemoved(chat_id) => {
            let removed_chat_id = Kind::Chat.encode(chat_id.0);
            ViewerEventChange::InboxChatRemoved(InboxChatRemoved { removed_chat_id })
        }
        ViewerChange::SessionAdded(row) => {
            ViewerEventChange::SessionAdded(ChatSessionAdded { session: ChatSession(row) })
        }
        ViewerChange::SessionChanged(row, directive) => {
            let directive = directive.map(Into::into);
            ViewerEventChange::SessionChanged(ChatSessionChanged { session: ChatSession(row), directive })
        }
    };
    ViewerEvent { cursor, at: DateTime(at), viewer: Viewer, change }
}

fn gone(chat_id: ChatId) -> ChatGone {
    ChatGone { removed_chat_id: Kind::Chat.encode(chat_id.0) }
}

/// The chat with its cursor in the list that it came into: a queue by how long it waits, an inbox by its latest
/// message.
fn chat_edge(chat: Arc<chat::Model>, sorted_by: Timestamp) -> ChatEdge {
    let cursor = encode_key(Key { value: sorted_by.0, id: chat.id.0 });
    ChatEdge { cursor, node: Chat::shared(chat) }
}
