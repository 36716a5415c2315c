//! Creating and changing rooms.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::{Halt, Kind};
use super::super::payload::{UserError, settle};
use super::Room;
use crate::actions::{CreateRoom, UpdateRoom};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::RoomId;

/// A room to create.
#[derive(InputObject)]
struct CreateRoomInput {
    /// What people call it: 1 to 200 characters.
    name: String,
}

/// What createRoom did.
#[derive(SimpleObject)]
struct CreateRoomPayload {
    /// The new room.
    room: Option<Room>,
    /// Why nothing was done.
    user_errors: Vec<UserError>,
}

/// Changes of a room. What is absent stays as it is.
#[derive(InputObject)]
struct UpdateRoomInput {
    /// Which room.
    room_id: ID,
    /// What people call it: 1 to 200 characters.
    name: Option<String>,
}

/// What updateRoom did.
#[derive(SimpleObject)]
struct UpdateRoomPayload {
    /// The room, as it now stands.
    room: Option<Room>,
    /// Why nothing was done.
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub(in crate::graphql) struct RoomMutation;

#[Object]
impl RoomMutation {
    /// Creates a room. For admins.
    async fn create_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room.")] input: CreateRoomInput,
    ) -> Result<CreateRoomPayload> {
        let caller = caller(context)?;
        let created = caller.actions.create_room(&caller.viewer, CreateRoom { name: input.name }).await;
        Ok(match settle(created.map_err(Halt::from))? {
            Ok(row) => CreateRoomPayload { room: Some(Room(row)), user_errors: Vec::new() },
            Err(error) => CreateRoomPayload { room: None, user_errors: vec![error] },
        })
    }

    /// Changes a room. For admins.
    async fn update_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateRoomInput,
    ) -> Result<UpdateRoomPayload> {
        let caller = caller(context)?;
        let UpdateRoomInput { room_id, name } = input;
        let id = Kind::Room.decode(&room_id)?.map(RoomId);
        let updated = async {
            let room_id = RoomId(Kind::Room.expect(&room_id, "room", "roomId")?);
            Ok(caller.actions.update_room(&caller.viewer, UpdateRoom { room_id, name }).await?)
        };
        Ok(match settle(updated.await)? {
            Ok(row) => UpdateRoomPayload { room: Some(Room(row)), user_errors: Vec::new() },
            Err(error) => {
                let room = match id {
                    Some(id) => caller.actions.room(&caller.viewer, id).await?.map(Room),
                    None => None,
                };
                UpdateRoomPayload { room, user_errors: vec![error] }
            }
        })
    }
}
