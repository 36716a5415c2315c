//! The chat of a session to create: an existing one, or the chat of the given participants.

use super::super::id::{Halt, Kind, expect_actors};
use crate::actions::SessionPlace;
use crate::domain::field_path::FieldPath;
use async_graphql::{ID, InputObject, OneofObject};
use entity::{ActorId, ChatId};

const CHAT_ID: &str = "chatId";
const PARTICIPANT_IDS: &str = "participantIds";

/// The chat of a session to create.
#[derive(OneofObject)]
#[graphql(name = "CreateChatSessionInInput")]
pub(super) enum PlaceInput {
    /// An existing chat, and the participants to call.
    Chat(ChatPlaceInput),
    /// The ids of the participants, up to 100 including the viewer, who is always a participant. The session
    /// belongs to the chat with exactly these participants. If there is none, the server creates it. Not for
    /// visitors.
    ParticipantIds(Vec<ID>),
}

/// An existing chat to create a session in.
#[derive(InputObject)]
#[graphql(name = "CreateChatSessionChatInput")]
pub(super) struct ChatPlaceInput {
    /// The id of the chat.
    id: ID,
    /// The ids of the participants, up to 100 including the viewer, who is always a participant. Default: all
    /// participants of the chat.
    participant_ids: Option<Vec<ID>>,
}

impl PlaceInput {
    pub(super) fn decode(&self) -> Result<SessionPlace, Halt> {
        Ok(match self {
            Self::Chat(ChatPlaceInput { id, participant_ids }) => SessionPlace::Chat {
                id: ChatId(Kind::Chat.expect(id, "chat", CHAT_ID)?),
                participant_ids: participant_ids.as_deref().map(participants).transpose()?,
            },
            Self::ParticipantIds(ids) => SessionPlace::ChatOf(participants(ids)?),
        })
    }

    /// The refusal of a field of the session's place, with the path that the field has in the input.
    pub(super) fn located(&self, halt: Halt) -> Halt {
        let Halt::Refused(refused) = halt else { return halt };
        let place = match self {
            Self::Chat(_) => FieldPath::of("in").field("chat"),
            Self::ParticipantIds(_) => FieldPath::of("in"),
        };
        let path = refused.field().and_then(|field| match field.root() {
            CHAT_ID => Some(place.field("id")),
            PARTICIPANT_IDS => Some(place.join(field)),
            _ => None,
        });
        Halt::Refused(match path {
            Some(path) => refused.blaming(path),
            None => refused,
        })
    }
}

/// The actors' ids of a field `participantIds`.
pub(super) fn participants(ids: &[ID]) -> Result<Vec<ActorId>, Halt> {
    expect_actors(ids, PARTICIPANT_IDS)
}
