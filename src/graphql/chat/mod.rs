//! Chats.

pub(super) mod deletion;
mod input;
mod list;
pub(super) mod mutation;
pub(super) mod participants;
pub(super) mod tags;
mod typing;

pub(super) use input::{ChatFilterInput, decode_participants, filter_within};
pub(super) use list::{ChatArguments, ChatConnection, ChatEdge, Place, chats_of, event_cursor};

use super::actor::{Actor, Visitor, display_name};
use super::caller::caller;
use super::cart::{ShoppingCartConnection, carts_of};
use super::connection::PageArguments;
use super::enums::{ChatAction, ChatType, MessageType, TextMatch};
use super::error::Result;
use super::id::Kind;
use super::loaders::{HasOpenSession, IsPresentIn, MessageAt, OpenSessionOf, OthersIn, OwnParticipationIn};
use super::message::history::{HistoryArguments, history_of};
use super::message::search::{
    MessageSearchConnection, MessageSearchFilterInput, SearchArguments, search_chat,
};
use super::message::{Message, MessageConnection};
use super::order::{
    ChatSessionOrderField, ChatSessionOrderInput, ParticipationOrderField, ParticipationOrderInput,
    PresenceOrderField, PresenceOrderInput, ShoppingCartOrderField, ShoppingCartOrderInput,
};
use super::organization::Organization;
use super::participation::{
    Participation, ParticipationArguments, ParticipationConnection, ParticipationFilterInput,
    participations_in,
};
use super::presence::{PresenceConnection, presences_of};
use super::room::Room;
use super::scalar::DateTime;
use super::session::{ChatSession, ChatSessionConnection, ChatSessionFilterInput, sessions_of};
use super::web_page::WebPage;
use crate::actions::CartsOf;
use crate::domain::policy::{self, ChatAccess, Leaving, Verb};
use crate::domain::viewer::ViewerRole;
use async_graphql::{Context, ID, Object};
use entity::{ActorId, chat, participation};
use std::sync::Arc;
use typing::{Typing, typing_in};

/// A conversation between a visitor and staff, between two actors, or in a group.
#[derive(Clone)]
pub(super) struct Chat(Arc<chat::Model>);

impl Chat {
    pub(super) fn new(row: chat::Model) -> Self {
        Self(Arc::new(row))
    }

    pub(super) fn shared(row: Arc<chat::Model>) -> Self {
        Self(row)
    }

    /// Actions on the chat for a viewer who can see it, even if they cannot send messages in it.
    fn leading_actions(&self, role: ViewerRole, access: ChatAccess) -> Vec<ChatAction> {
        let may = |verb| policy::may(role, verb).is_ok();
        let takes_people_in = may(Verb::AddParticipants) && self.0.ended_at.is_none();
        let actions = [
            (ChatAction::ChangeParticipants, takes_people_in && access.decides_participants()),
            (ChatAction::Update, may(Verb::UpdateChat) && access.changes()),
            (ChatAction::Delete, may(Verb::DeleteChat) && access.deletes()),
        ];
        actions.into_iter().filter_map(|(action, is_open)| is_open.then_some(action)).collect()
    }

    async fn actor(context: &Context<'_>, id: Option<ActorId>) -> Result<Option<Actor>> {
        match id {
            Some(id) => Ok(caller(context)?.load(id).await?.and_then(Actor::new)),
            None => Ok(None),
        }
    }
}

/// A conversation between a visitor and staff, between two actors, or in a group.
#[Object]
impl Chat {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Chat.encode(self.0.id.0)
    }

    /// The type of the chat.
    #[graphql(name = "type")]
    async fn chat_type(&self) -> ChatType {
        self.0.chat_type.into()
    }

    /// The organization that the chat belongs to.
    async fn organization(&self, context: &Context<'_>) -> Result<Organization> {
        Organization::of_viewer(context).await
    }

    /// The room that the chat belongs to. Null unless the type is VISITOR.
    async fn room(&self, context: &Context<'_>) -> Result<Option<Room>> {
        match self.0.room_id {
            Some(id) => Ok(caller(context)?.load(id).await?.map(Room)),
            None => Ok(None),
        }
    }

    /// The visitor of the chat. Null unless the type is VISITOR.
    async fn visitor(&self, context: &Context<'_>) -> Result<Option<Visitor>> {
        Ok(match Self::actor(context, self.0.visitor_id).await? {
            Some(Actor::Visitor(visitor)) => Some(visitor),
            Some(Actor::User(_)) | None => None,
        })
    }

    /// The owner of the chat. Null in VISITOR chats.
    async fn owner(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        Self::actor(context, self.0.owner_id).await
    }

    /// The title to show to this viewer: their `customName` for the chat, or else the chat's name, the
    /// visitor's name, the names of the first 5 other participants, or the name of the room.
    async fn title(&self, context: &Context<'_>) -> Result<String> {
        let caller = caller(context)?;
        let own = caller.load(OwnParticipationIn(self.0.id)).await?.filter(participation::Model::is_current);
        if let Some(name) = own.and_then(|own| own.name) {
            return Ok(name);
        }
        if let Some(name) = &self.0.name {
            return Ok(name.clone());
        }
        if self.0.visitor_id.is_some_and(|visitor_id| visitor_id != caller.viewer.actor_id)
            && let Some(Actor::Visitor(visitor)) = Self::actor(context, self.0.visitor_id).await?
        {
            return Ok(display_name(policy::names(&caller.viewer), &visitor.0));
        }
        let others = caller.load(OthersIn(self.0.id)).await?.unwrap_or_default();
        let names: Vec<_> =
            others.iter().map(|other| display_name(policy::names(&caller.viewer), other)).collect();
        if !names.is_empty() {
            return Ok(names.join(", "));
        }
        let room = match self.0.room_id {
            Some(id) => caller.load(id).await?,
            None => None,
        };
        Ok(room.map_or_else(|| "Chat".to_owned(), |room| room.name))
    }

    /// The name that was given to the chat. Null if there is none. To show a name in every case, use `title`.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The description that was given to the chat.
    async fn description(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// A public identifier of the chat. It grants no access.
    async fn public_id(&self) -> &str {
        &self.0.token
    }

    /// True if only participants, admins, and supervisors who are members of the room can see the chat. DIRECT
    /// and GROUP chats are visible only to participants and admins, regardless of this field.
    async fn is_private(&self) -> bool {
        self.0.is_private
    }

    /// True if a message was suggested to the visitor.
    async fn is_autosuggested(&self) -> bool {
        self.0.is_autosuggested
    }

    /// The page of the website that the visitor was on when they sent their first message. Null if unknown.
    async fn first_visitor_message_page(&self) -> Option<WebPage> {
        self.0.first_visitor_message_page().map(Into::into)
    }

    /// The page of the website that the visitor was on when a message was first suggested. Null if unknown.
    async fn autosuggest_page(&self) -> Option<WebPage> {
        self.0.autosuggest_page().map(Into::into)
    }

    /// True if the chat has at least two messages by users and one by the visitor.
    async fn is_real_conversation(&self) -> bool {
        self.0.is_real_conversation()
    }

    /// True if the visitor is waiting for an answer.
    async fn is_waiting(&self) -> bool {
        self.0.waiting_since.is_some()
    }

    /// The time at which the chat started.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// The time at which the chat ended. Null while it is open.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// The time of the last event in the chat. Notes do not count, nor do chat sessions that a visitor of the
    /// chat cannot see.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// The time at which the visitor began to wait for an answer. Null if nobody waits.
    async fn waiting_since(&self) -> Option<DateTime> {
        self.0.waiting_since.map(DateTime)
    }

    /// The number of messages of type MESSAGE, including deleted ones.
    async fn message_count(&self) -> i32 {
        self.0.message_count
    }

    /// The number of messages of type MESSAGE that users sent, including deleted ones.
    async fn user_message_count(&self) -> i32 {
        self.0.user_message_count
    }

    /// The number of messages of type MESSAGE that visitors sent, including deleted ones.
    async fn visitor_message_count(&self) -> i32 {
        self.0.visitor_message_count
    }

    /// The number of actors who were added as participants or have sent a message. A user who only joined
    /// does not count.
    async fn participation_count(&self) -> i32 {
        self.0.participation_count
    }

    /// The number of users who were added as participants or have sent a message.
    async fn user_participation_count(&self) -> i32 {
        self.0.user_participation_count
    }

    /// The number of visitors who are participants.
    async fn visitor_participation_count(&self) -> i32 {
        self.0.visitor_participation_count
    }

    /// The number of users who are present now.
    async fn present_user_count(&self) -> i32 {
        self.0.present_user_count
    }

    /// The tags of the chat in the order in which they were added. Null for visitors.
    async fn tags(&self, context: &Context<'_>) -> Result<Option<&[String]>> {
        Ok(policy::sees_staff_fields(&caller(context)?.viewer).then_some(&self.0.tags.0))
    }

    /// The newest message of type MESSAGE that is not deleted. Null if there is none or it is archived.
    async fn last_message(&self, context: &Context<'_>) -> Result<Option<Message>> {
        match self.0.last_message_sequence.filter(|sequence| !self.0.is_archived(*sequence)) {
            Some(sequence) => Ok(caller(context)?.load(MessageAt((self.0.id, sequence))).await?.map(Message)),
            None => Ok(None),
        }
    }

    /// The chat session that is ringing or in progress. A chat has at most one.
    async fn open_chat_session(&self, context: &Context<'_>) -> Result<Option<ChatSession>> {
        Ok(caller(context)?.load(OpenSessionOf(self.0.id)).await?.map(ChatSession))
    }

    /// The messages of the chat, oldest first. `last: 50` returns the newest 50; pass the page's
    /// `startCursor` as `before` for older ones. The cursors also work as `after` of the subscriptions
    /// `messageAdded` and `chatEvents`.
    #[allow(clippy::too_many_arguments)]
    async fn messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "True to include archived messages.", default)] include_archived: bool,
        #[graphql(desc = "Only messages of these types.")] types: Option<Vec<MessageType>>,
        #[graphql(
            desc = "The id of a message to center the page on: half of the page comes before it and half \
                    after it. Near either end of the history, the other side fills the page. Set the page \
                    size with `first` or `last`. Cannot be combined with `after` or `before`."
        )]
        around: Option<ID>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MessageConnection> {
        let page = PageArguments { first, after, last, before };
        history_of(context, &self.0, HistoryArguments { types, include_archived, around, page }).await
    }

    /// Searches the text of the messages in this chat. Hits are sorted from newest to oldest. The query
    /// matches any part of a word in any script, and ignores case and accents unless `match` is `EXACT`.
    #[allow(clippy::too_many_arguments)]
    async fn search_messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The search text, 2–200 characters, matched literally. There are no wildcards.")]
        query: String,
        #[graphql(
            name = "match",
            desc = "The method for comparing the query with texts.",
            default_with = "TextMatch::Folded"
        )]
        matching: TextMatch,
        #[graphql(desc = "Only messages that match this filter.")] filter: Option<MessageSearchFilterInput>,
        #[graphql(desc = "True to include archived messages.", default)] include_archived: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MessageSearchConnection> {
        let page = PageArguments { first, after, last, before };
        let arguments = SearchArguments { query: &query, matching, filter, include_archived, page };
        search_chat(context, &self.0, arguments).await
    }

    /// The presences of users in the chat.
    #[allow(clippy::too_many_arguments)]
    async fn presences(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "True to include presences that have ended.", default_with = "Some(false)")]
        include_ended: Option<bool>,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(PresenceOrderInput::ascending(PresenceOrderField::CreatedAt))"
        )]
        order_by: Option<PresenceOrderInput>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PresenceConnection> {
        let page = PageArguments { first, after, last, before };
        presences_of(context, self.0.id, include_ended.unwrap_or_default(), order_by, page).await
    }

    /// The participations of actors in the chat.
    #[allow(clippy::too_many_arguments)]
    async fn participations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only participations that match this filter.")] filter: Option<
            ParticipationFilterInput,
        >,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ParticipationOrderInput::ascending(ParticipationOrderField::CreatedAt))"
        )]
        order_by: Option<ParticipationOrderInput>,
        #[graphql(desc = "True to include participations whose `isHidden` is true.", default_with = "true")]
        include_hidden: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ParticipationConnection> {
        let page = PageArguments { first, after, last, before };
        let arguments = ParticipationArguments { filter, order_by, include_hidden, page };
        participations_in(context, self.0.id, arguments).await
    }

    /// The chat sessions that the viewer can see. Visitors see the sessions in which they are participants.
    #[allow(clippy::too_many_arguments)]
    async fn chat_sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chat sessions that match this filter.")] filter: Option<
            ChatSessionFilterInput,
        >,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ChatSessionOrderInput::ascending(ChatSessionOrderField::CreatedAt))"
        )]
        order_by: Option<ChatSessionOrderInput>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ChatSessionConnection> {
        let page = PageArguments { first, after, last, before };
        sessions_of(context, self.0.id, filter, order_by, page).await
    }

    /// The shopping carts that belong to the chat. Null for visitors.
    async fn shopping_carts(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ShoppingCartOrderInput::ascending(ShoppingCartOrderField::OpenedAt))"
        )]
        order_by: Option<ShoppingCartOrderInput>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<ShoppingCartConnection>> {
        if !policy::sees_staff_fields(&caller(context)?.viewer) {
            return Ok(None);
        }
        let page = PageArguments { first, after, last, before };
        carts_of(context, CartsOf::Chat(self.0.id), order_by, page).await.map(Some)
    }

    /// The typing indicators of the chat. Each expires 15 seconds after the actor last renewed it.
    async fn typing(&self, context: &Context<'_>) -> Result<Vec<Typing>> {
        typing_in(context, self.0.id).await
    }

    /// The viewer's own participation. Null if the viewer has never been a participant.
    async fn viewer_participation(&self, context: &Context<'_>) -> Result<Option<Participation>> {
        let found = caller(context)?.load(OwnParticipationIn(self.0.id)).await?;
        Ok(found.filter(participation::Model::is_current).map(Participation))
    }

    /// The actions that the viewer can take on the chat now. Show a button only if its action is listed.
    async fn viewer_actions(&self, context: &Context<'_>) -> Result<Vec<ChatAction>> {
        let caller = caller(context)?;
        let (access, role) = (caller.access(&self.0).await?, caller.viewer.role);
        let mut actions = self.leading_actions(role, access);
        if !access.acts() {
            return Ok(actions);
        }
        if policy::may(role, Verb::TagChat).is_ok() {
            actions.push(ChatAction::Tag);
        }
        if policy::may(role, Verb::ArchiveMessages).is_ok() {
            actions.push(ChatAction::Archive);
            if self.0.archived_at.is_some() {
                actions.push(ChatAction::Restore);
            }
        }
        let joins = policy::may(role, Verb::JoinChat).is_ok();
        let is_present = joins && caller.load(IsPresentIn(self.0.id)).await?.unwrap_or_default();
        let leaves = match access.leaving() {
            Leaving::Participation => access.participates(),
            Leaving::Presence => is_present,
            Leaving::Nothing => false,
        };
        if leaves {
            actions.push(ChatAction::Leave);
        }
        if self.0.ended_at.is_some() {
            return Ok(actions);
        }
        actions.push(ChatAction::Send);
        if joins && !is_present {
            actions.push(ChatAction::Join);
        }
        if access.ends() {
            actions.push(ChatAction::End);
        }
        if !caller.load(HasOpenSession(self.0.id)).await?.unwrap_or_default() {
            actions.push(ChatAction::StartSession);
        }
        Ok(actions)
    }
}
