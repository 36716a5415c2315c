//! Typed ids: one newtype over a UUID for each noun, so that a chat's id cannot be passed as a message's id.

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// The id of an organization.
    OrganizationId,
    /// The id of a room.
    RoomId,
    /// The id of a user, a visitor or an API client.
    ActorId,
    /// The id of a chat.
    ChatId,
    /// The public id of a message. Its position in the log is its `sequence`.
    MessageId,
    /// The id of a presence.
    PresenceId,
    /// The id of a participation.
    ParticipationId,
    /// The id of a chat session.
    SessionId,
    /// The id of a sign-in, shared by the tokens that were renewed from one another.
    SignInId,
    /// The id of an attachment or an upload.
    AttachmentId,
    /// The id of a shopping cart.
    ShoppingCartId,
    /// The id of a product in a shopping cart.
    ShoppingCartProductId,
    /// The id of a webhook.
    WebhookId,
    /// The id of a webhook's delivery, the same for all attempts.
    WebhookDeliveryId,
}
