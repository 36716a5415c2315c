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
    /// What people call it: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: String,
    /// Whose pages may use its `widgetKey`: up to 20 origins as browsers send them, such as `https://shop.example`.
    /// None, if absent.
    allowed_origins: Option<Vec<String>>,
    /// For how many minutes after its newest message a chat can be resumed: 0 (never) to 10,080 (a week). 30, if
    /// absent.
    resume_window_minutes: Option<i32>,
    /// After how many minutes in which nothing happens a chat ends: 1 to 43,200 (30 days), or 0, which is never.
    /// Never, if absent.
    end_after_idle_minutes: Option<i32>,
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
    /// What people call it: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: Option<String>,
    /// Whose pages may use its `widgetKey`, as for createRoom. An empty list: nobody's.
    allowed_origins: Option<Vec<String>>,
    /// True gives it another `widgetKey`: pages with the one before sign nobody in any more. Who is signed in stays so.
    #[graphql(default)]
    rotate_widget_key: bool,
    /// True gives it another `identitySecret`: identity tokens that the one before signed are not taken any more.
    #[graphql(default)]
    rotate_identity_secret: bool,
    /// For how many minutes after its newest message a chat can be resumed: 0 (never) to 10,080 (a week).
    resume_window_minutes: Option<i32>,
    /// After how many minutes in which nothing happens a chat ends: 1 to 43,200 (30 days), or 0, which is never.
    end_after_idle_minutes: Option<i32>,
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
        let CreateRoomInput { name, allowed_origins, resume_window_minutes, end_after_idle_minutes } = input;
        let allowed_origins = allowed_origins.unwrap_or_default();
        let input = CreateRoom { name, allowed_origins, resume_window_minutes, end_after_idle_minutes };
        let created = caller.actions.create_room(&caller.viewer, input).await;
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
        let UpdateRoomInput {
            room_id,
            name,
            allowed_origins,
            rotate_widget_key,
            rotate_identity_secret,
            resume_window_minutes,
            end_after_idle_minutes,
        } = input;
        let id = Kind::Room.decode(&room_id)?.map(RoomId);
        let updated = async {
            let room_id = RoomId(Kind::Room.expect(&room_id, "room", "roomId")?);
            let input = UpdateRoom {
                room_id,
                name,
                allowed_origins,
                rotate_widget_key,
                rotate_identity_secret,
                resume_window_minutes,
                end_after_idle_minutes,
            };
            Ok(caller.actions.update_room(&caller.viewer, input).await?)
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
