//! Signing in by a widget, renewing tokens, and ending them.

use super::actor::Actor;
use super::caller::{anybody, caller};
use super::error::Result;
use super::id::{Halt, expect_actor};
use super::payload::{UserErrors, settle};
use super::renewal::Renewal;
use super::room::Room;
use super::scalar::DateTime;
use super::viewer::Viewer;
use super::web_page::WebPageInput;
use crate::actions::{SignInVisitor, TokenSubject};
use crate::domain::field_path::FieldPath;
use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};
use std::sync::Arc;

/// The visitor on the page: the one whom `identityToken` names, or else whose `refreshToken` it is, or else
/// somebody new.
#[derive(InputObject)]
struct SignInVisitorInput {
    /// The refresh token of the previous sign-in, on this page or another of the site. Refused when it is not
    /// taken any more: sign
    /// in anew without it.
    refresh_token: Option<String>,
    /// The identity token of the organization's own server: a JWT, signed with the room's `identitySecret`
    /// (HS256), with the
    /// room's id as `aud`, the visitor's `externalId` as `sub`, an `exp` within the hour, and, if it likes, `name`
    /// and
    /// `attributes` (an object of texts).
    identity_token: Option<String>,
    /// The visitor's display name: 1–200 characters, at least one of them visible; bidirectional controls are
    /// removed. Not of one whom the organization knows.
    display_name: Option<String>,
    /// The page that the visitor is on: their `currentPage` from now on.
    page: Option<WebPageInput>,
}

/// The result of `signInVisitor`.
#[derive(SimpleObject)]
struct SignInVisitorPayload {
    /// What goes behind `Authorization: Bearer` from now on, for 15 minutes. Renew it before.
    token: Option<String>,
    /// The expiry time.
    expires_at: Option<DateTime>,
    /// The refresh token, valid once within 30 days: keep it where only pages of the site can read it.
    refresh_token: Option<String>,
    /// The visitor who is signed in: what is selected here is theirs already.
    viewer: Option<Viewer>,
    /// The room whose widget it is.
    room: Option<Room>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The input of `renewToken`.
#[derive(InputObject)]
struct RenewTokenInput {
    /// The refresh token of the sign-in or the previous renewal. Absent for a token that came by other means: it
    /// is renewed by
    /// itself, for as long as it lived, up to 30 days after the first one.
    refresh_token: Option<String>,
}

/// The result of `renewToken`.
#[derive(SimpleObject)]
struct RenewTokenPayload {
    /// The new token for the header `Authorization: Bearer`. A socket that this was asked on stays open as long.
    token: Option<String>,
    /// The expiry time.
    expires_at: Option<DateTime>,
    /// The next refresh token. Null if the token is renewed without one.
    refresh_token: Option<String>,
    /// The same viewer as before.
    viewer: Option<Viewer>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The input of `signOut`.
#[derive(InputObject)]
struct SignOutInput {
    /// True ends all tokens of the viewer, on every device; else those of this sign-in: this token, those that it was
    /// renewed from and to, and their refresh tokens.
    #[graphql(default)]
    everywhere: bool,
}

/// The result of `signOut`.
#[derive(SimpleObject)]
struct SignOutPayload {
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The user, visitor or API client whose tokens to revoke.
#[derive(OneofObject)]
enum RevokeTokensInput {
    /// The id of a user or a visitor.
    ActorId(ID),
    /// The name of an API client.
    ApiClientName(String),
}

/// The user, visitor or API client that a token is for.
#[derive(OneofObject)]
pub(super) enum TokenSubjectInput {
    /// The id of a user or a visitor.
    ActorId(ID),
    /// The name of an API client, 1–128 characters.
    ApiClientName(String),
}

impl TokenSubjectInput {
    /// The subject. `field` is the path of the actor's id in the input.
    pub(super) fn decode(self, field: FieldPath) -> std::result::Result<TokenSubject, Halt> {
        match self {
            Self::ActorId(id) => Ok(TokenSubject::Actor(expect_actor(&id, field)?)),
            Self::ApiClientName(name) => Ok(TokenSubject::ApiClient(name)),
        }
    }
}

/// The result of `revokeTokens`.
#[derive(SimpleObject)]
struct RevokeTokensPayload {
    /// The actor whose tokens were revoked. Null for an API client.
    actor: Option<Actor>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(super) struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Signs the visitor on a page in. With the room's `widgetKey` as bearer token, over HTTP, from a page of one of
    /// the room's `allowedOrigins`. How often is limited, for each address and each room.
    async fn sign_in_visitor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The visitor.")] input: SignInVisitorInput,
    ) -> Result<Option<SignInVisitorPayload>> {
        let caller = anybody(context)?;
        let SignInVisitorInput { refresh_token, identity_token, display_name, page } = input;
        let page = page.map(Into::into);
        let input = SignInVisitor { refresh_token, identity_token, display_name, page };
        let signed_in = caller.actions.sign_in_visitor(&caller.viewer, input).await;
        let (signed_in, user_errors) = settle(signed_in.map_err(Halt::from))?;
        let Some((room_id, signed_in)) = signed_in else {
            return Ok(Some(SignInVisitorPayload {
                token: None,
                expires_at: None,
                refresh_token: None,
                viewer: None,
                room: None,
                user_errors,
            }));
        };
        caller.become_viewer(signed_in.viewer);
        Ok(Some(SignInVisitorPayload {
            token: Some(signed_in.issued.token),
            expires_at: Some(DateTime(signed_in.issued.expires_at)),
            refresh_token: signed_in.refresh_token,
            viewer: Some(Viewer),
            room: anybody(context)?.load(room_id).await?.map(Room),
            user_errors,
        }))
    }

    /// Makes another token for the viewer, before theirs ends. Asked on a socket, it keeps the socket open.
    async fn renew_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The refresh token, if any.")] input: RenewTokenInput,
    ) -> Result<Option<RenewTokenPayload>> {
        let caller = caller(context)?;
        let renewed = caller.actions.renew_token(&caller.viewer, input.refresh_token).await;
        let (renewed, user_errors) = settle(renewed.map_err(Halt::from))?;
        let Some(renewed) = renewed else {
            return Ok(Some(RenewTokenPayload {
                token: None,
                expires_at: None,
                refresh_token: None,
                viewer: None,
                user_errors,
            }));
        };
        if let Some(renewal) = context.data_opt::<Arc<Renewal>>() {
            renewal.set(renewed.viewer.clone());
        }
        caller.become_viewer(renewed.viewer);
        Ok(Some(RenewTokenPayload {
            token: Some(renewed.issued.token),
            expires_at: Some(DateTime(renewed.issued.expires_at)),
            refresh_token: renewed.refresh_token,
            viewer: Some(Viewer),
            user_errors,
        }))
    }

    /// Signs the viewer out: tokens stop to work, sockets close with 4403, presences end.
    async fn sign_out(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The extent.")] input: SignOutInput,
    ) -> Result<Option<SignOutPayload>> {
        let caller = caller(context)?;
        let signed_out = caller.actions.sign_out(&caller.viewer, input.everywhere).await;
        let (_, user_errors) = settle(signed_out.map_err(Halt::from))?;
        Ok(Some(SignOutPayload { user_errors }))
    }

    /// Ends all tokens of somebody: sockets close with 4403, presences end, refresh tokens are worth nothing. For
    /// admins.
    async fn revoke_tokens(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The subject of the tokens.")] input: RevokeTokensInput,
    ) -> Result<Option<RevokeTokensPayload>> {
        let caller = caller(context)?;
        let revoked = async {
            let subject = match input {
                RevokeTokensInput::ActorId(id) => TokenSubjectInput::ActorId(id),
                RevokeTokensInput::ApiClientName(name) => TokenSubjectInput::ApiClientName(name),
            };
            let subject = subject.decode(FieldPath::of("actorId"))?;
            Ok(caller.actions.revoke_tokens(&caller.viewer, subject).await?)
        };
        let (row, user_errors) = settle(revoked.await)?;
        Ok(Some(RevokeTokensPayload { actor: row.and_then(Actor::new), user_errors }))
    }
}
