//! Global ids: a letter for the type and the row's UUID, in URL-safe base64. Opaque to clients.

use super::error::Fault;
use crate::actions;
use crate::domain::field_path::FieldPath;
use crate::domain::global_id;
use crate::domain::refused::Refused;
use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The type of object that an id identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Organization,
    Viewer,
    Room,
    User,
    Visitor,
    Chat,
    Message,
    Presence,
    Participation,
    ChatSession,
    FileAttachment,
    LinkAttachment,
    ContactAttachment,
    ShoppingCart,
    ShoppingCartProduct,
    Webhook,
    WebhookDelivery,
}

impl Kind {
    const ALL: [Self; 17] = [
        Self::Organization,
        Self::Viewer,
        Self::Room,
        Self::User,
        Self::Visitor,
        Self::Chat,
        Self::Message,
        Self::Presence,
        Self::Participation,
        Self::ChatSession,
        Self::FileAttachment,
        Self::LinkAttachment,
        Self::ContactAttachment,
        Self::ShoppingCart,
        Self::ShoppingCartProduct,
        Self::Webhook,
        Self::WebhookDelivery,
    ];

    /// The tag in the id. Clients keep ids, so a tag never changes once it is released.
    fn tag(self) -> u8 {
        match self {
            Self::Organization => global_id::ORGANIZATION,
            Self::Viewer => b'W',
            Self::Room => global_id::ROOM,
            Self::User => b'U',
            Self::Visitor => global_id::VISITOR,
            Self::Chat => global_id::CHAT,
            Self::Message => global_id::MESSAGE,
            Self::Presence => b'P',
            Self::Participation => b'T',
            Self::ChatSession => global_id::CHAT_SESSION,
            Self::FileAttachment => b'F',
            Self::LinkAttachment => b'L',
            Self::ContactAttachment => b'K',
            Self::ShoppingCart => b'B',
            Self::ShoppingCartProduct => b'G',
            Self::Webhook => global_id::WEBHOOK,
            Self::WebhookDelivery => global_id::WEBHOOK_DELIVERY,
        }
    }

    pub(super) fn encode(self, id: Uuid) -> ID {
        ID(global_id::encode(self.tag(), id))
    }

    /// The row's id. `None` for an object of another type, and an error for a malformed id.
    pub(super) fn decode(self, id: &ID) -> Result<Option<Uuid>, Fault> {
        let (kind, uuid) = decode_any(id)?;
        Ok((kind == self).then_some(uuid))
    }

    /// The row's id in a field of an input. An object of another type counts as not found.
    pub(super) fn expect(
        self,
        id: &ID,
        what: &'static str,
        field: impl Into<FieldPath>,
    ) -> Result<Uuid, Halt> {
        self.decode(id)?.ok_or_else(|| Halt::Refused(Refused::NotFound { what, field: field.into() }))
    }
}

/// The type and the row's id.
pub(super) fn decode_any(id: &ID) -> Result<(Kind, Uuid), Fault> {
    let malformed =
        || Fault::bad_input("This is not an id of this API. Pass ids exactly as the API returned them.");
    let bytes = URL_SAFE_NO_PAD.decode(id.as_bytes()).map_err(|_| malformed())?;
    let (tag, uuid) = bytes.split_first().ok_or_else(malformed)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.tag() == *tag).ok_or_else(malformed)?;
    Ok((kind, Uuid::from_slice(uuid).map_err(|_| malformed())?))
}

/// An actor's id in an input: a user's or a visitor's.
pub(super) fn expect_actor(id: &ID, field: impl Into<FieldPath>) -> Result<entity::ActorId, Halt> {
    match decode_any(id)? {
        (Kind::User | Kind::Visitor, uuid) => Ok(entity::ActorId(uuid)),
        (
            Kind::Organization
            | Kind::Viewer
            | Kind::Room
            | Kind::Chat
            | Kind::Message
            | Kind::Presence
            | Kind::Participation
            | Kind::ChatSession
            | Kind::FileAttachment
            | Kind::LinkAttachment
            | Kind::ContactAttachment
            | Kind::ShoppingCart
            | Kind::ShoppingCartProduct
            | Kind::Webhook
            | Kind::WebhookDelivery,
            _,
        ) => Err(Halt::Refused(Refused::NotFound { what: "actor", field: field.into() })),
    }
}

/// The actors' ids in a list of an input.
pub(super) fn expect_actors(ids: &[ID], field: &'static str) -> Result<Vec<entity::ActorId>, Halt> {
    let field = FieldPath::of(field);
    ids.iter().enumerate().map(|(index, id)| expect_actor(id, field.item(index))).collect()
}

/// The reason why a mutation changed nothing: a refusal for the payload, or a failure.
pub(super) enum Halt {
    Refused(Refused),
    Fault(Fault),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<actions::Error> for Halt {
    fn from(error: actions::Error) -> Self {
        match error {
            actions::Error::Refused(refused) => Self::Refused(refused),
            actions::Error::Forbidden | actions::Error::Unavailable(_) | actions::Error::Failed(_) => {
                Self::Fault(error.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_type_and_nothing_else_passes_for_it() {
        let uuid = Uuid::from_u128(7);
        let id = Kind::Chat.encode(uuid);
        assert!(matches!(Kind::Chat.decode(&id), Ok(Some(decoded)) if decoded == uuid));
        assert!(matches!(Kind::Room.decode(&id), Ok(None)));
        for malformed in ["", "!", "Q2hhdDox", "AAAAAAAAAAAAAAAAAAAAAAA", &format!("{}A", id.0)] {
            assert!(Kind::Chat.decode(&ID(malformed.into())).is_err(), "{malformed}");
        }
    }

    #[test]
    fn tags_are_distinct() {
        let mut tags: Vec<_> = Kind::ALL.iter().map(|kind| kind.tag()).collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), Kind::ALL.len());
    }
}
