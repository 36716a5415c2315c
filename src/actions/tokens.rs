//! Bearer tokens: made and checked with the server's own secret.

use super::{Actions, AuthFailure, Result};
use crate::domain::viewer::Viewer;
use entity::{ActorId, OrganizationId, Timestamp, actor};

/// The server's secret. Never printed.
#[derive(Clone)]
pub struct Secret(pub Vec<u8>);

/// Whom a token is for.
#[derive(Clone, Debug)]
pub enum TokenSubject {
    /// A user or a visitor of the organization.
    Actor(ActorId),
    /// A program, known by its name; made when it is new.
    ApiClient(String),
}

#[derive(Clone, Debug)]
pub struct IssueToken {
    pub subject: TokenSubject,
    pub expires_in_seconds: Option<i32>,
}

#[derive(Clone)]
pub struct IssuedToken {
    pub token: String,
    pub expires_at: Timestamp,
}

impl Actions {
    pub async fn authenticate(&self, _token: &str) -> std::result::Result<Viewer, AuthFailure> {
        todo!()
    }
    pub async fn issue_token(&self, _viewer: &Viewer, _input: IssueToken) -> Result<IssuedToken> {
        todo!()
    }
    /// For the command line: no viewer.
    pub async fn mint_token(&self, _organization_id: OrganizationId, _input: IssueToken) -> Result<(actor::Model, IssuedToken)> {
        todo!()
    }
}
