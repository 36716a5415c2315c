//! Adding and removing members of rooms.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::{Halt, Kind};
use super::super::payload::{UserErrors, settle};
use super::Room;
use crate::actions::{AddRoomMembers, RemoveRoomMembers};
use crate::domain::field_path::FieldPath;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{ActorId, RoomId};

/// Users to add to a room.
#[derive(InputObject)]
struct AddRoomMembersInput {
    /// The id of the room.
    room_id: ID,
    /// The ids of the users, 1–100.
    user_ids: Vec<ID>,
}

/// The result of `addRoomMembers`.
#[derive(SimpleObject)]
struct AddRoomMembersPayload {
    /// The room with its members.
    room: Option<Room>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Users to remove from a room.
#[derive(InputObject)]
struct RemoveRoomMembersInput {
    /// The id of the room.
    room_id: ID,
    /// The ids of the users, 1–100.
    user_ids: Vec<ID>,
}

/// The result of `removeRoomMembers`.
#[derive(SimpleObject)]
struct RemoveRoomMembersPayload {
    /// The room with its members.
    room: Option<Room>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct RoomMemberMutation;

#[Object]
impl RoomMemberMutation {
    /// Adds members to a room. They can see its chats at once. Idempotent: members stay members. For admins.
    /// Errors: `TOO_MANY`.
    async fn add_room_members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The users to add, and the room.")] input: AddRoomMembersInput,
    ) -> Result<Option<AddRoomMembersPayload>> {
        let caller = caller(context)?;
        let added = async {
            let (room_id, user_ids) = decode(&input.room_id, &input.user_ids)?;
            Ok(caller.actions.add_room_members(&caller.viewer, AddRoomMembers { room_id, user_ids }).await?)
        };
        let (row, user_errors) = settle(added.await)?;
        Ok(Some(AddRoomMembersPayload { room: row.map(Room), user_errors }))
    }

    /// Removes members from a room. If its `access` is MEMBERS, they lose its chats within a second. Their
    /// presences end with the reason `ACCESS_LOST`, and their subscriptions send `ChatGoneEvent`. They remain
    /// participants of chats that have ended. Idempotent. For admins. Errors: `TOO_MANY`.
    async fn remove_room_members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The users to remove, and the room.")] input: RemoveRoomMembersInput,
    ) -> Result<Option<RemoveRoomMembersPayload>> {
        let caller = caller(context)?;
        let removed = async {
            let (room_id, user_ids) = decode(&input.room_id, &input.user_ids)?;
            let input = RemoveRoomMembers { room_id, user_ids };
            Ok(caller.actions.remove_room_members(&caller.viewer, input).await?)
        };
        let (row, user_errors) = settle(removed.await)?;
        Ok(Some(RemoveRoomMembersPayload { room: row.map(Room), user_errors }))
    }
}

fn decode(room_id: &ID, user_ids: &[ID]) -> std::result::Result<(RoomId, Vec<ActorId>), Halt> {
    let room_id = RoomId(Kind::Room.expect(room_id, "room", "roomId")?);
    let field = FieldPath::of("userIds");
    let user = |(index, id)| Ok::<_, Halt>(ActorId(Kind::User.expect(id, "user", field.item(index))?));
    Ok((room_id, user_ids.iter().enumerate().map(user).collect::<std::result::Result<_, _>>()?))
}
