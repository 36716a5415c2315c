//! Replaces the secrets of a room.

use super::secret::{new_identity_secret, new_widget_key};
use crate::actions::requests::{self, Requested};
use crate::actions::rotation::{Rotated, fingerprint};
use crate::actions::{Actions, Result};
use crate::domain::description::Description;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, rooms};
use entity::{RequestKind, RoomId, room};

/// A secret of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomSecret {
    /// The key with which pages sign visitors in.
    WidgetKey,
    /// The secret that signs identity tokens.
    Identity,
}

impl Actions {
    /// Replaces a secret of a room. A retry with the same `request_id` does not replace it again.
    pub async fn rotate_room_secret(
        &self,
        viewer: &Viewer,
        room_id: RoomId,
        which: RoomSecret,
        request_id: Option<String>,
    ) -> Result<Rotated<room::Model>> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        Ok(permit.write(of_room, (room_id, which, request_id)).await?.value)
    }
}

async fn of_room(
    tx: &mut Tx,
    viewer: Viewer,
    (room_id, which, request_id): (RoomId, RoomSecret, Option<String>),
) -> Result<Rotated<room::Model>> {
    let (kind, mutation) = match which {
        RoomSecret::WidgetKey => (RequestKind::WidgetKey, "rotateWidgetKey"),
        RoomSecret::Identity => (RequestKind::IdentitySecret, "rotateIdentitySecret"),
    };
    let secret_of = |room: &room::Model| match which {
        RoomSecret::WidgetKey => room.widget_key.clone(),
        RoomSecret::Identity => room.identity_secret.expose().to_owned(),
    };
    actors::lock_in_organization(tx, viewer.organization_id, &[viewer.actor_id]).await?;
    let mut room = rooms::lock_in_organization(tx, viewer.organization_id, room_id)
        .await?
        .ok_or(Refused::NotFound { what: "room", field: "roomId".into() })?;
    let call = Description::of(mutation).with("roomId", Some(room_id));
    let request = requests::find(tx, &viewer, &[kind], request_id.as_deref(), &call).await?;
    if let Requested::Before(_, made) = request {
        let secret = Some(secret_of(&room)).filter(|secret| fingerprint(secret) == made);
        return Ok(Rotated { of: room, secret });
    }
    match which {
        RoomSecret::WidgetKey => room.widget_key = new_widget_key(),
        RoomSecret::Identity => room.identity_secret = new_identity_secret(),
    }
    rooms::update(tx, &room).await?;
    let secret = secret_of(&room);
    requests::remember(tx, &viewer, kind, request, fingerprint(&secret)).await?;
    Ok(Rotated { of: room, secret: Some(secret) })
}
