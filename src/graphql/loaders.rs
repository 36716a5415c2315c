//! Batched loading of relations: many nodes of one level are loaded together.

use crate::actions::{Actions, CartsOf, Error, ListedParticipations, ListedSessions, MessageFilter};
use crate::domain::event::{MessageRow, SessionRow};
use crate::domain::page::{Page, PageRequest};
use crate::domain::viewer::Viewer;
use crate::store::reactions::Counted;
use async_graphql::dataloader::Loader;
use entity::{
    ActorId, AttachmentId, ChatId, MessageId, OrganizationId, ParticipationId, PresenceId, RoomId, SessionId,
    ShoppingCartId, ShoppingCartProductId, WebhookDeliveryId, WebhookDeliveryState, WebhookId, actor,
    attachment, chat, message_revision, organization, participation, presence, room, shopping_cart,
    shopping_cart_product, webhook, webhook_delivery,
};
use std::collections::HashMap;
use std::hash::Hash;

/// Loads data as the viewer.
pub(super) struct Reads {
    pub actions: Actions,
    pub viewer: Viewer,
}

/// Declares the loader of a key, which loads a batch of keys.
macro_rules! loader {
    ($key:ty => $value:ty, |$reads:ident, $keys:ident| $load:expr) => {
        impl Loader<$key> for Reads {
            type Value = $value;
            type Error = Error;

            async fn load(&self, $keys: &[$key]) -> Result<HashMap<$key, $value>, Error> {
                let $reads = self;
                Ok($load)
            }
        }
    };
}

/// Declares a key that wraps another one, to load another relation of the same id.
macro_rules! key {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) struct $name(pub $inner);
    };
}

/// An object by its id, if the viewer can see it. Relations of a visible object use the bare id as their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen<I>(pub I);

key!(
    /// The attachments of a message.
    AttachmentsOf(MessageId)
);
key!(
    /// The open chat session of a chat.
    OpenSessionOf(ChatId)
);
key!(
    /// Whether a chat has an open chat session, including one that the viewer cannot see.
    HasOpenSession(ChatId)
);
key!(
    /// The viewer's own participation in a chat.
    OwnParticipationIn(ChatId)
);
key!(
    /// Whether the viewer is present in a chat.
    IsPresentIn(ChatId)
);
key!(
    /// The other participants of a chat.
    OthersIn(ChatId)
);
key!(
    /// The number of unread messages of a participation.
    UnreadOf(ParticipationId)
);
key!(
    /// The number of unread messages of the viewer in all chats.
    UnreadOfViewer(ActorId)
);
key!(
    /// The number of chats that wait in a room.
    WaitingIn(RoomId)
);
key!(
    /// The chat sessions of an actor that are in progress.
    BusyIn(ActorId)
);
key!(
    /// Whether somebody who answers in a room is online.
    IsStaffed(RoomId)
);
key!(
    /// The reactions to a message.
    ReactionsTo(MessageId)
);
key!(
    /// The previous texts of a message.
    RevisionsOf(MessageId)
);
key!(
    /// The products that are or were in a shopping cart.
    ProductsIn(ShoppingCartId)
);
key!(
    /// A position in the history of a chat.
    MessageAt((ChatId, i64))
);

loader!(ActorId => actor::Model, |reads, keys| reads.actions.actors_by_id(&reads.viewer, keys).await?);
loader!(RoomId => room::Model, |reads, keys| reads.actions.rooms_by_id(&reads.viewer, keys).await?);
loader!(Seen<RoomId> => room::Model, |reads, keys| {
    let found = reads.actions.visible_rooms(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(SessionId => SessionRow, |reads, keys| reads.actions.sessions_by_id(&reads.viewer, keys).await?);
loader!(ChatId => chat::Model, |reads, keys| {
    let found = reads.actions.visible_chats(&reads.viewer, keys).await?;
    found.into_iter().map(|chat| (chat.id, chat)).collect()
});
loader!(OrganizationId => organization::Model, |reads, _keys| {
    let own = reads.actions.organization(&reads.viewer).await?;
    HashMap::from([(own.id, own)])
});
loader!(IsStaffed => bool, |reads, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    let staffed = reads.actions.staffed_rooms(&reads.viewer, &ids).await?;
    keys.iter().map(|key| (*key, staffed.contains(&key.0))).collect()
});
loader!(Seen<ActorId> => actor::Model, |reads, keys| {
    let found = reads.actions.visible_actors(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(Seen<MessageId> => MessageRow, |reads, keys| {
    let found = reads.actions.visible_messages(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.message.id)
});
loader!(Seen<PresenceId> => presence::Model, |reads, keys| {
    let found = reads.actions.visible_presences(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(Seen<ParticipationId> => participation::Model, |reads, keys| {
    let found = reads.actions.visible_participations(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(Seen<SessionId> => SessionRow, |reads, keys| {
    let found = reads.actions.visible_sessions(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.session.id)
});
loader!(Seen<AttachmentId> => attachment::Model, |reads, keys| {
    let found = reads.actions.visible_attachments(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(Seen<ShoppingCartId> => shopping_cart::Model, |reads, keys| {
    let found = reads.actions.visible_carts(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(Seen<ShoppingCartProductId> => shopping_cart_product::Model, |reads, keys| {
    let found = reads.actions.visible_products(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(ProductsIn => Vec<shopping_cart_product::Model>, |reads, keys| {
    wrapped(reads.actions.products_of_each(&bare(keys, |key| key.0)).await?, ProductsIn)
});
loader!(Seen<WebhookId> => webhook::Model, |reads, keys| {
    let found = reads.actions.visible_webhooks(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(Seen<WebhookDeliveryId> => webhook_delivery::Model, |reads, keys| {
    let found = reads.actions.visible_deliveries(&reads.viewer, &bare(keys, |key| key.0)).await?;
    seen(found, |row| row.id)
});
loader!(AttachmentsOf => Vec<attachment::Model>, |reads, keys| {
    wrapped(reads.actions.attachments_of_each(&reads.viewer, &bare(keys, |key| key.0)).await?, AttachmentsOf)
});
loader!(OpenSessionOf => SessionRow, |reads, keys| {
    wrapped(reads.actions.open_session_of_each(&reads.viewer, &bare(keys, |key| key.0)).await?, OpenSessionOf)
});
loader!(HasOpenSession => bool, |reads, keys| {
    let found = reads.actions.chats_with_open_session(&bare(keys, |key| key.0)).await?;
    keys.iter().map(|key| (*key, found.contains(&key.0))).collect()
});
loader!(OwnParticipationIn => participation::Model, |reads, keys| {
    let found = reads.actions.own_participation_of_each(&reads.viewer, &bare(keys, |key| key.0)).await?;
    wrapped(found, OwnParticipationIn)
});
loader!(IsPresentIn => bool, |reads, keys| {
    let found = reads.actions.viewer_is_present_in(&reads.viewer, &bare(keys, |key| key.0)).await?;
    keys.iter().map(|key| (*key, found.contains(&key.0))).collect()
});
loader!(OthersIn => Vec<actor::Model>, |reads, keys| {
    wrapped(reads.actions.others_of_each(&reads.viewer, &bare(keys, |key| key.0)).await?, OthersIn)
});
loader!(UnreadOf => u64, |reads, keys| {
    wrapped(reads.actions.unread_of_each(&reads.viewer, &bare(keys, |key| key.0)).await?, UnreadOf)
});
loader!(UnreadOfViewer => u64, |reads, keys| {
    let unread = reads.actions.unread_count(&reads.viewer).await?;
    keys.iter().map(|key| (*key, unread)).collect()
});
loader!(WaitingIn => u64, |reads, keys| {
    wrapped(reads.actions.waiting_count_of_each(&reads.viewer, &bare(keys, |key| key.0)).await?, WaitingIn)
});
loader!(BusyIn => Vec<SessionId>, |reads, keys| {
    wrapped(reads.actions.busy_in(&reads.viewer, &bare(keys, |key| key.0)).await?, BusyIn)
});
loader!(MessageAt => MessageRow, |reads, keys| {
    wrapped(reads.actions.messages_at(&reads.viewer, &bare(keys, |key| key.0)).await?, MessageAt)
});

loader!(ReactionsTo => Vec<Counted>, |reads, keys| {
    wrapped(reads.actions.reactions_of_each(&reads.viewer, &bare(keys, |key| key.0)).await?, ReactionsTo)
});
loader!(RevisionsOf => Vec<message_revision::Model>, |reads, keys| {
    wrapped(reads.actions.revisions_of_each(&bare(keys, |key| key.0)).await?, RevisionsOf)
});

/// A page of a list that every chat has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageOf<A> {
    pub chat_id: ChatId,
    /// The other arguments of the field.
    pub arguments: A,
    pub page: PageRequest,
}

/// The arguments of `Chat.presences`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PresencesOf {
    pub include_ended: bool,
    pub is_descending: bool,
}

/// Declares the loader of a page. It reads the chats with equal arguments together.
macro_rules! page_loader {
    ($arguments:ty => $row:ty, |$reads:ident, $chats:ident, $asked:ident, $page:ident| $load:expr) => {
        loader!(PageOf<$arguments> => Page<$row>, |$reads, keys| {
            let mut pages = HashMap::new();
            for (($asked, $page), $chats) in by_arguments(keys) {
                for (chat_id, page) in $load.await? {
                    let arguments = $asked.clone();
                    pages.insert(PageOf { chat_id, arguments, page: $page.clone() }, page);
                }
            }
            pages
        });
    };
}

page_loader!(MessageFilter => MessageRow, |reads, chats, filter, page| {
    reads.actions.messages_of_each(&reads.viewer, &chats, filter, page)
});
page_loader!(PresencesOf => presence::Model, |reads, chats, asked, page| {
    reads.actions.presences_of_each(&reads.viewer, &chats, asked.include_ended, asked.is_descending, page)
});
page_loader!(ListedParticipations => participation::Model, |reads, chats, asked, page| {
    reads.actions.participations_of_each(&reads.viewer, &chats, *asked, page)
});
page_loader!(ListedSessions => SessionRow, |reads, chats, asked, page| {
    reads.actions.sessions_of_each(&reads.viewer, &chats, asked, page)
});

/// A page of the deliveries of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LedgerOf {
    pub webhook_id: WebhookId,
    /// Only deliveries in these states; all if absent.
    pub states: Option<Vec<WebhookDeliveryState>>,
    pub is_descending: bool,
    pub page: PageRequest,
}

loader!(LedgerOf => Page<webhook_delivery::Model>, |reads, keys| {
    let mut groups: HashMap<_, Vec<WebhookId>> = HashMap::new();
    for key in keys {
        groups.entry((&key.states, key.is_descending, &key.page)).or_default().push(key.webhook_id);
    }
    let mut pages = HashMap::new();
    for ((states, is_descending, page), webhooks) in groups {
        let (viewer, states_of) = (&reads.viewer, states.as_deref());
        let found = reads.actions.deliveries_of_each(viewer, &webhooks, states_of, is_descending, page).await?;
        pages.extend(found.into_iter().map(|(webhook_id, found)| {
            (LedgerOf { webhook_id, states: states.clone(), is_descending, page: page.clone() }, found)
        }));
    }
    pages
});

/// A page of the shopping carts of a visitor or a chat.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CartsPage {
    pub of: CartsOf,
    pub is_descending: bool,
    pub page: PageRequest,
}

loader!(CartsPage => Page<shopping_cart::Model>, |reads, keys| {
    let mut groups: HashMap<_, Vec<CartsOf>> = HashMap::new();
    for key in keys {
        let group = (std::mem::discriminant(&key.of), key.is_descending, &key.page);
        groups.entry(group).or_default().push(key.of);
    }
    let mut pages = HashMap::new();
    for ((_, is_descending, page), places) in groups {
        let found = reads.actions.carts_of_each(&reads.viewer, &places, is_descending, page).await?;
        pages.extend(
            found.into_iter().map(|(of, found)| (CartsPage { of, is_descending, page: page.clone() }, found)),
        );
    }
    pages
});

/// A page of the members of a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MembersPage {
    pub room_id: RoomId,
    pub page: PageRequest,
}

loader!(MembersPage => Page<actor::Model>, |reads, keys| {
    let mut groups: HashMap<_, Vec<RoomId>> = HashMap::new();
    for key in keys {
        groups.entry(&key.page).or_default().push(key.room_id);
    }
    let mut pages = HashMap::new();
    for (page, rooms) in groups {
        let found = reads.actions.members_of_each(&reads.viewer, &rooms, page).await?;
        pages.extend(
            found.into_iter().map(|(room_id, found)| (MembersPage { room_id, page: page.clone() }, found)),
        );
    }
    pages
});

/// A page of the rooms of which a user is a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RoomsPage {
    pub user_id: ActorId,
    pub page: PageRequest,
}

loader!(RoomsPage => Page<room::Model>, |reads, keys| {
    let mut groups: HashMap<_, Vec<ActorId>> = HashMap::new();
    for key in keys {
        groups.entry(&key.page).or_default().push(key.user_id);
    }
    let mut pages = HashMap::new();
    for (page, users) in groups {
        let found = reads.actions.rooms_of_each(&reads.viewer, &users, page).await?;
        pages.extend(
            found.into_iter().map(|(user_id, found)| (RoomsPage { user_id, page: page.clone() }, found)),
        );
    }
    pages
});

fn by_arguments<A: Hash + Eq>(keys: &[PageOf<A>]) -> HashMap<(&A, &PageRequest), Vec<ChatId>> {
    let mut groups: HashMap<_, Vec<ChatId>> = HashMap::new();
    for key in keys {
        groups.entry((&key.arguments, &key.page)).or_default().push(key.chat_id);
    }
    groups
}

fn bare<K, T>(keys: &[K], inner: impl Fn(&K) -> T) -> Vec<T> {
    keys.iter().map(inner).collect()
}

fn wrapped<T, K: Hash + Eq, V>(found: HashMap<T, V>, key: impl Fn(T) -> K) -> HashMap<K, V> {
    found.into_iter().map(|(id, value)| (key(id), value)).collect()
}

fn seen<I: Hash + Eq, V>(found: Vec<V>, id: impl Fn(&V) -> I) -> HashMap<Seen<I>, V> {
    found.into_iter().map(|row| (Seen(id(&row)), row)).collect()
}
