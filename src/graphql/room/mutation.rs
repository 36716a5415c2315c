//! Creating and changing rooms.

use super::super::caller::{Caller, caller};
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
    /// The name: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: String,
    /// The origins whose pages can use the room's `widgetKey`: up to 20 origins as browsers send them, such as
    /// `https://shop.example`.
    #[graphql(default)]
    allowed_origins: Vec<String>,
    /// For how many minutes after its newest message a chat can be resumed: 0 (never) to 10,080 (a week).
    #[graphql(default_with = "limits::RESUME_MINUTES.1")]
    resume_window_minutes: i32,
    /// After how many minutes in which nothing happens a chat ends: 1 to 43,200 (30 days), or 0, which is never.
    #[graphql(default)]
    end_after_idle_minutes: i32,
}

/// The result of `createRoom`.
#[derive(SimpleObject)]
struct CreateRoomPayload {
    /// The new room.
    room: Option<Room>,
    /// The secret with which the site's server signs identity tokens. Shown only here and by
    /// `rotateIdentitySecret`: store
    /// it.
    identity_secret: Option<String>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Changes of a room. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateRoomInput {
    /// The id of the room.
    room_id: ID,
    /// The name: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: Option<String>,
    /// The origins whose pages can use the room's `widgetKey`, as for `createRoom`. An empty list allows none.
    allowed_origins: Option<Vec<String>>,
    /// For how many minutes after its newest message a chat can be resumed: 0 (never) to 10,080 (a week).
    resume_window_minutes: Option<i32>,
    /// After how many minutes in which nothing happens a chat ends: 1 to 43,200 (30 days), or 0, which is never.
    end_after_idle_minutes: Option<i32>,
}

/// The result of `updateRoom`.
#[derive(SimpleObject)]
struct UpdateRoomPayload {
    /// The current state of the room.
    room: Option<Room>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A room whose widget key to replace.
#[derive(InputObject)]
struct RotateWidgetKeyInput {
    /// The room.
    room_id: ID,
    /// Makes retries safe: the same call with the same id, 1–128 characters, replaces the key once.
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

/// A room whose identity secret to replace.
#[derive(InputObject)]
struct RotateIdentitySecretInput {
    /// The room.
    room_id: ID,
    /// Makes retries safe: the same call with the same id, 1–128 characters, replaces the secret once and returns the
    /// same one.
    request_id: Option<String>,
}

/// The result of `rotateIdentitySecret`.
#[derive(SimpleObject)]
struct RotateIdentitySecretPayload {
    /// The room.
    room: Option<Room>,
    /// The new secret. Shown only here: store it. Null for a retry whose secret was replaced since.
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
        #[graphql(desc = "The room.")] input: CreateRoomInput,
    ) -> Result<Option<CreateRoomPayload>> {
        let caller = caller(context)?;
        let CreateRoomInput { name, allowed_origins, resume_window_minutes, end_after_idle_minutes } = input;
        let input = CreateRoom {
            name,
            allowed_origins,
            resume_window_minutes: Some(resume_window_minutes),
            end_after_idle_minutes: Some(end_after_idle_minutes),
        };
        let created = caller.actions.create_room(&caller.viewer, input).await;
        let (row, user_errors) = settle(created.map_err(Halt::from))?;
        Ok(Some(CreateRoomPayload {
            identity_secret: row.as_ref().map(|row| row.identity_secret.0.clone()),
            room: row.map(Room),
            user_errors,
        }))
    }

    /// Changes a room. For admins.
    async fn update_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateRoomInput,
    ) -> Result<Option<UpdateRoomPayload>> {
        let caller = caller(context)?;
        let UpdateRoomInput { room_id, name, allowed_origins, resume_window_minutes, end_after_idle_minutes } =
            input;
        let id = Kind::Room.decode(&room_id)?.map(RoomId);
        let updated = async {
            let room_id = RoomId(Kind::Room.expect(&room_id, "room", "roomId")?);
            let input =
                UpdateRoom { room_id, name, allowed_origins, resume_window_minutes, end_after_idle_minutes };
            Ok(caller.actions.update_room(&caller.viewer, input).await?)
        };
        let (row, user_errors) = settle(updated.await)?;
        let row = match (row, id) {
            (None, Some(id)) => caller.actions.room(&caller.viewer, id).await?,
            (row, _) => row,
        };
        Ok(Some(UpdateRoomPayload { room: row.map(Room), user_errors }))
    }

    /// Replaces a room's widget key. Pages with the previous key no longer sign anybody in; visitors who are
    /// signed in
    /// stay signed in. For admins.
    async fn rotate_widget_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room.")] input: RotateWidgetKeyInput,
    ) -> Result<Option<RotateWidgetKeyPayload>> {
        let rotated = rotate(caller(context)?, &input.room_id, RoomSecret::WidgetKey, input.request_id).await;
        let (rotated, user_errors) = settle(rotated)?;
        Ok(Some(RotateWidgetKeyPayload { room: rotated.map(|rotated| Room(rotated.of)), user_errors }))
    }

    /// Replaces a room's identity secret. Identity tokens that the previous secret signed are no longer accepted. For
    /// admins.
    async fn rotate_identity_secret(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room.")] input: RotateIdentitySecretInput,
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
