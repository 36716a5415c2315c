//! Issues tokens.

use super::sign::{IssuedToken, NewToken, whole_seconds};
use crate::actions::actor::add::new_actor;
use crate::actions::{Actions, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{self, Tx, actors};
use chrono::TimeDelta;
use entity::{ActorId, ActorType, OrganizationId, SignInId, actor};

/// The subject of a token.
#[derive(Clone, Debug)]
pub enum TokenSubject {
    /// A user or visitor of the organization.
    Actor(ActorId),
    /// An API client, identified by its name. Created if new.
    ApiClient(String),
}

/// A token to issue.
#[derive(Clone, Debug)]
pub struct IssueToken {
    /// The subject of the token.
    pub subject: TokenSubject,
    /// The lifetime in seconds, 60 to 31,536,000 (one year). Default 3600.
    pub expires_in_seconds: Option<i32>,
}

impl Actions {
    /// Issues a token for an actor or API client of the viewer's organization.
    pub async fn issue_token(&self, viewer: &Viewer, input: IssueToken) -> Result<IssuedToken> {
        let verb = match &input.subject {
            TokenSubject::ApiClient(_) => Verb::IssueUserToken,
            TokenSubject::Actor(actor_id) => {
                policy::may(viewer.role, Verb::IssueVisitorToken)?;
                let actor =
                    actors::find_in_organization(&self.0.store, viewer.organization_id, *actor_id).await?;
                match actor.map(|actor| actor.actor_type) {
                    Some(ActorType::Visitor) | None => Verb::IssueVisitorToken,
                    Some(ActorType::User | ActorType::ApiClient) => Verb::IssueUserToken,
                }
            }
        };
        policy::may(viewer.role, verb)?;
        Ok(self.mint_token(viewer.organization_id, input).await?.1)
    }

    /// Issues a token. For the command line: checks no permissions.
    pub async fn mint_token(
        &self,
        organization_id: OrganizationId,
        input: IssueToken,
    ) -> Result<(actor::Model, IssuedToken)> {
        let (least, default, most) = limits::TOKEN_SECONDS;
        let seconds = input.expires_in_seconds.unwrap_or(default);
        if !(least..=most).contains(&seconds) {
            let reason = "The lifetime of a token must be 60–31,536,000 seconds.";
            return Err(Refused::Invalid { field: "expiresInSeconds".into(), reason }.into());
        }
        let not_found = Refused::NotFound { what: "actor", field: FieldPath::of("subject").field("actorId") };
        let actor = match input.subject {
            TokenSubject::Actor(actor_id) => {
                actors::find_in_organization(&self.0.store, organization_id, actor_id).await?
            }
            TokenSubject::ApiClient(name) => Some(self.api_client(organization_id, name).await?),
        };
        let actor = actor.filter(|actor| actor.deactivated_at.is_none()).ok_or(not_found)?;
        let now = whole_seconds(self.now());
        let new = NewToken {
            sign_in_id: SignInId(self.0.clock.new_id()),
            first_issued_at: now,
            expires_at: now.plus(TimeDelta::seconds(seconds.into())),
        };
        let (issued, _) = self.sign(&actor, new)?;
        Ok((actor, issued))
    }

    async fn api_client(&self, organization_id: OrganizationId, mut name: String) -> Result<actor::Model> {
        text::name("apiClientName", &mut name)?;
        text::line("apiClientName", &name, limits::EXTERNAL_ID)?;
        let found =
            actors::find_by_external_id(&self.0.store, organization_id, ActorType::ApiClient, &name).await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let key = name.clone();
        match self.write(add_api_client, (organization_id, name)).await {
            Ok(written) => Ok(written.value),
            // Another call may have created the client. Any other failure of the write shows in this read.
            Err(error) => {
                actors::find_by_external_id(&self.0.store, organization_id, ActorType::ApiClient, &key)
                    .await?
                    .ok_or(error)
            }
        }
    }
}

async fn add_api_client(
    tx: &mut Tx,
    (organization_id, name): (OrganizationId, String),
) -> Result<actor::Model> {
    let mut row = new_actor(tx, organization_id, ActorType::ApiClient);
    (row.name, row.external_id) = (Some(name.clone()), Some(name));
    match actors::insert(tx, &row).await {
        Err(store::Error::Taken(_)) => Err(Refused::Conflict { field: "apiClientName".into() }.into()),
        other => Ok(other.map(|()| row)?),
    }
}
