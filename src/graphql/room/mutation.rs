//! Creating and changing rooms.

use super::super::caller::{Caller, caller};
use super::super::enums::RoomAccess;
use super::super::error::Result;
use super::super::id::{Halt, Kind};
use super::super::payload::{UserErrors, settle};
use super::Room;
use crate::actions::{CreateRoom, RoomSecret, Rotated, UpdateRoom};
use crate::domain::limits;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{RoomId, room};

/// A room to create.
#[derive(InputObject)]
struct CreateRoomInput {
    /// The name of the room: 1–200 characters, at least one of them visible. Bidirectional control characters
    /// are removed.
    name: String,
    /// The origins whose pages can use the room's `widgetKey`: up to 20 origins in the form that browsers
    /// send, such as `https://shop.example`.
    #[graphql(default)]
    allowed_origins: Vec<String>,
    /// The number of minutes for which a chat can be resumed after its newest message, 0–10,080 (one week). 0:
    /// never.
    #[graphql(default_with = "limits::RESUME_MINUTES.1")]
    resume_window_minutes: i32,
    /// The number of minutes without activity after which a chat ends, 0–43,200 (30 days). 0: never.
    #[graphql(default)]
    end_after_idle_minutes: i32,
    /// The users who can see the room's VISITOR chats. An organization can have up to 500 rooms with `access`
    /// MEMBERS.
    #[graphql(default_with = "RoomAccess::Open")]
    access: RoomAccess,
}

/// The result of `createRoom`.
#[derive(SimpleObject)]
struct CreateRoomPayload {
    /// The new room with its widget key.
    room: Option<Room>,
    /// The secret with which your server signs identity tokens. Store it: only this payload shows it. To
    /// replace it, use `rotateIdentitySecret`.
    identity_secret: Option<String>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Changes to a room. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateRoomInput {
    /// The id of the room.
    room_id: ID,
    /// The name of the room: 1–200 characters, at least one of them visible. Bidirectional control characters
    /// are removed.
    name: Option<String>,
    /// The origins whose pages can use the room's `widgetKey`, as for `createRoom`. An empty list allows
    /// none.
    allowed_origins: Option<Vec<String>>,
    /// The number of minutes for which a chat can be resumed after its newest message, 0–10,080 (one week). 0:
    /// never.
    resume_window_minutes: Option<i32>,
    /// The number of minutes without activity after which a chat ends, 0–43,200 (30 days). 0: never.
    end_after_idle_minutes: Option<i32>,
    /// The users who can see the room's VISITOR chats. With MEMBERS, users who are neither members nor admins
    /// leave the room's open chats within a second. An organization can have up to 500 such rooms.
    access: Option<RoomAccess>,
}

/// The result of `updateRoom`.
#[derive(SimpleObject)]
struct UpdateRoomPayload {
    /// The current state of the room.
    room: Option<Room>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The room in which to replace the widget key.
#[derive(InputObject)]
struct RotateWidgetKeyInput {
    /// The id of the room.
    room_id: ID,
    /// Makes retries safe: 1–128 characters. Calls with the same id replace the key once.
    request_id: Option<String>,
}

/// The result of `rotateWidgetKey`.
#[derive(SimpleObject)]
struct RotateWidgetKeyPayload {
    /// The room with its new `widgetKey`.
    room: Option<Room>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The room in which to replace the identity secret.
#[derive(InputObject)]
struct RotateIdentitySecretInput {
    /// The id of the room.
    room_id: ID,
    /// Makes retries safe: 1–128 characters. Calls with the same id replace the secret once and return the
    /// same one.
    request_id: Option<String>,
}

/// The result of `rotateIdentitySecret`.
#[derive(SimpleObject)]
struct RotateIdentitySecretPayload {
    /// The room whose secret was replaced.
    room: Option<Room>,
    /// The new secret. Store it: only this payload shows it. Null for a retry if the secret has been replaced
    /// again.
    identity_secret: Option<String>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct RoomMutation;

#[Object]
impl RoomMutation {
    /// Creates a room. For admins.
    async fn create_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room to create.")] input: CreateRoomInput,
    ) -> Result<Option<CreateRoomPayload>> {
        let caller = caller(context)?;
        let CreateRoomInput { name, allowed_origins, resume_window_minutes, end_after_idle_minutes, access } =
            input;
        let input = CreateRoom {
            name,
            allowed_origins,
            resume_window_minutes: Some(resume_window_minutes),
            end_after_idle_minutes: Some(end_after_idle_minutes),
            access: Some(access.into()),
        };
        let created = caller.actions.create_room(&caller.viewer, input).await;
        let (row, user_errors) = settle(created.map_err(Halt::from))?;
        Ok(Some(CreateRoomPayload {
            identity_secret: row.as_ref().map(|row| row.identity_secret.expose().to_owned()),
            room: row.map(Room),
            user_errors,
        }))
    }

    /// Updates a room. For admins.
    async fn update_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes to the room.")] input: UpdateRoomInput,
    ) -> Result<Option<UpdateRoomPayload>> {
        let caller = caller(context)?;
        let UpdateRoomInput {
            room_id,
            name,
            allowed_origins,
            resume_window_minutes,
            end_after_idle_minutes,
            access,
        } = input;
        let id = Kind::Room.decode(&room_id)?.map(RoomId);
        let updated = async {
            let room_id = RoomId(Kind::Room.expect(&room_id, "room", "roomId")?);
            let input = UpdateRoom {
                room_id,
                name,
                allowed_origins,
                resume_window_minutes,
                end_after_idle_minutes,
                access: access.map(Into::into),
            };
            Ok(caller.actions.update_room(&caller.viewer, input).await?)
        };
        let (row, user_errors) = settle(updated.await)?;
        let row = match (row, id) {
            (None, Some(id)) => caller.actions.room(&caller.viewer, id).await?,
            (row, _) => row,
        };
        Ok(Some(UpdateRoomPayload { room: row.map(Room), user_errors }))
    }

    /// Replaces a room's widget key. Pages with the previous key can no longer sign visitors in. Visitors who
    /// are signed in stay signed in. For admins.
    async fn rotate_widget_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room in which to replace the widget key.")] input: RotateWidgetKeyInput,
    ) -> Result<Option<RotateWidgetKeyPayload>> {
        let rotated = rotate(caller(context)?, &input.room_id, RoomSecret::WidgetKey, input.request_id).await;
        let (rotated, user_errors) = settle(rotated)?;
        Ok(Some(RotateWidgetKeyPayload { room: rotated.map(|rotated| Room(rotated.of)), user_errors }))
    }

    /// Replaces a room's identity secret. Identity tokens that were signed with the previous secret are no
    /// longer accepted. For admins.
    async fn rotate_identity_secret(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room in which to replace the identity secret.")]
        input: RotateIdentitySecretInput,
    ) -> Result<Option<RotateIdentitySecretPayload>> {
        let rotated = rotate(caller(context)?, &input.room_id, RoomSecret::Identity, input.request_id).await;
        let (rotated, user_errors) = settle(rotated)?;
        let (room, secret) = rotated.map(|rotated| (Room(rotated.of), rotated.secret)).unzip();
        Ok(Some(RotateIdentitySecretPayload { room, identity_secret: secret.flatten(), user_errors }))
    }
}

async fn rotate(
    caller: &Caller,
    room_id: &ID,
    which: RoomSecret,
    request_id: Option<String>,
) -> std::result::Result<Rotated<room::Model>, Halt> {
    let room_id = RoomId(Kind::Room.expect(room_id, "room", "roomId")?);
    Ok(caller.actions.rotate_room_secret(&caller.viewer, room_id, which, request_id).await?)
}
