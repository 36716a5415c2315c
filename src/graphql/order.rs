//! How lists can be sorted: for each type of list the fields that an index has in order, and a direction.

use super::enums::OrderDirection;
use crate::actions;
use crate::domain::chat_filter;
use crate::domain::page::Order;
use async_graphql::{Enum, InputObject};

/// Declares the order of a type of list.
macro_rules! order {
    ($(#[$doc:meta])* $input:ident named $name:literal by $field:ty $(as $of:ty)?) => {
        $(#[$doc])*
        #[derive(InputObject, Clone, Copy, Debug)]
        #[graphql(name = $name)]
        pub(in crate::graphql) struct $input {
            /// The field to sort by.
            field: $field,
            /// The direction to sort in.
            direction: OrderDirection,
        }

        impl $input {
            pub(in crate::graphql) const fn ascending(field: $field) -> Self {
                Self { field, direction: OrderDirection::Asc }
            }

            $(pub(in crate::graphql) fn decode(self) -> Order<$of> {
                Order { field: self.field.into(), is_descending: self.direction == OrderDirection::Desc }
            })?
        }
    };
}

order! {
    /// The sort order of chats. Chats with equal values are sorted by id.
    ChatOrderInput named "ChatOrder" by ChatOrderField as chat_filter::ChatOrderField
}

impl ChatOrderInput {
    pub(in crate::graphql) const fn descending(field: ChatOrderField) -> Self {
        Self { field, direction: OrderDirection::Desc }
    }
}

/// The field by which chats are sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "chat_filter::ChatOrderField")]
pub(super) enum ChatOrderField {
    /// The time at which the chat started.
    StartedAt,
    /// The time at which the chat ended. Lists only chats that have ended.
    EndedAt,
    /// The time of the last change to the chat.
    UpdatedAt,
    /// The time at which the visitor began to wait for an answer. Lists only chats that wait for an answer.
    WaitingSince,
    /// The time of the newest message. Lists only chats with messages.
    LastMessageAt,
    /// The time of the newest message. For a chat without messages, the time at which it started.
    ActiveAt,
}

order! {
    /// The sort order of chat sessions. Sessions with equal values are sorted by id.
    ChatSessionOrderInput named "ChatSessionOrder" by ChatSessionOrderField as actions::SessionOrderField
}

/// The field by which chat sessions are sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "actions::SessionOrderField")]
pub(super) enum ChatSessionOrderField {
    /// The time at which the session was created.
    CreatedAt,
    /// The time for which the session is planned. Lists only planned sessions.
    ScheduledAt,
}

order! {
    /// The sort order of participations. Participations with equal values are sorted by id.
    ParticipationOrderInput named "ParticipationOrder" by ParticipationOrderField as actions::ParticipationOrderField
}

impl ParticipationOrderInput {
    pub(in crate::graphql) const fn descending(field: ParticipationOrderField) -> Self {
        Self { field, direction: OrderDirection::Desc }
    }
}

/// The field by which participations are sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "actions::ParticipationOrderField")]
pub(super) enum ParticipationOrderField {
    /// The time at which the participation started.
    CreatedAt,
    /// The time of the chat's newest message. For a chat without messages, the time at which it started.
    ActiveAt,
}

order! {
    /// The sort order of presences. Presences with equal values are sorted by id.
    PresenceOrderInput named "PresenceOrder" by PresenceOrderField
}

/// The field by which presences are sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PresenceOrderField {
    /// The time at which the user joined.
    CreatedAt,
}

impl PresenceOrderInput {
    pub(super) fn is_descending(self) -> bool {
        match self.field {
            PresenceOrderField::CreatedAt => self.direction == OrderDirection::Desc,
        }
    }
}

order! {
    /// The sort order of shopping carts. Carts with equal values are sorted by id.
    ShoppingCartOrderInput named "ShoppingCartOrder" by ShoppingCartOrderField
}

/// The field by which shopping carts are sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShoppingCartOrderField {
    /// The time at which the first product was added to the cart.
    OpenedAt,
}

impl ShoppingCartOrderInput {
    pub(super) fn is_descending(self) -> bool {
        match self.field {
            ShoppingCartOrderField::OpenedAt => self.direction == OrderDirection::Desc,
        }
    }
}

order! {
    /// The sort order of webhook deliveries. Deliveries with equal values are sorted by id.
    WebhookDeliveryOrderInput named "WebhookDeliveryOrder" by WebhookDeliveryOrderField
}

/// The field by which webhook deliveries are sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WebhookDeliveryOrderField {
    /// The time at which the delivery was created.
    CreatedAt,
}

impl WebhookDeliveryOrderInput {
    pub(super) fn is_descending(self) -> bool {
        match self.field {
            WebhookDeliveryOrderField::CreatedAt => self.direction == OrderDirection::Desc,
        }
    }
}
