//! Checks whether the caller of an open connection is still allowed.

use super::Door;
use super::open_streams::{Contact, OpenStream};
use crate::actions::Error;
use crate::domain::viewer::{Standing, Viewer};
use crate::graphql::renewal::Renewal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a connection waits for the store to check its token.
const ASKED_WITHIN: Duration = Duration::from_secs(2);

/// Waits until the actor is deactivated.
pub(super) async fn deactivated(standing: &mut watch::Receiver<Standing>) {
    if standing.wait_for(|standing| *standing == Standing::Gone).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The caller of a connection that stays open.
pub(super) struct Present {
    /// The viewer at the last check.
    pub viewer: Viewer,
    /// The channel on which operations report a newer token.
    pub renewal: Arc<Renewal>,
    standing: watch::Receiver<Standing>,
    _stream: OpenStream,
}

impl Present {
    /// Starts watching. `None` if the viewer has too many connections, all of which are alive.
    pub(super) async fn new(door: &Door, viewer: Viewer, contact: &Contact) -> Option<Self> {
        let stream = door.open_streams.open(&viewer, contact).await?;
        let standing = door.live.standing(&viewer);
        Some(Self { viewer, renewal: Arc::default(), standing, _stream: stream })
    }

    /// The watched access of the caller's actor.
    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Waits until the caller's access has changed.
    pub(super) async fn changed(&mut self) {
        if self.standing.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Updates the viewer. Returns `false` once the token is expired or revoked, or the actor is deactivated.
    pub(super) async fn is_here(&mut self, door: &Door) -> bool {
        if let Some(viewer) = self.renewal.take() {
            self.viewer = viewer;
        }
        let standing = self.standing.borrow().clone();
        self.viewer.stand(&standing);
        match standing {
            Standing::Gone => return false,
            Standing::Active { auth_version, .. } => {
                if auth_version > self.viewer.auth_version {
                    let holds = timeout(ASKED_WITHIN, door.actions.still_holds(&self.viewer)).await;
                    match holds.unwrap_or_else(|_| Err(Error::Unavailable("no answer in time".into()))) {
                        Ok(true) => self.viewer.auth_version = auth_version,
                        Ok(false) => return false,
                        // It is checked again shortly.
                        Err(error) => {
                            tracing::warn!(%error, "could not check whether a token is still valid");
                        }
                    }
                }
            }
        }
        self.viewer.expires_at > door.actions.now()
    }
}
