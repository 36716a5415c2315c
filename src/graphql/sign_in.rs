//! Signing in by a widget, renewing tokens, and revoking them.

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

/// A visitor to sign in. `identityToken` or `refreshToken` identifies a known visitor. Without them, a new
/// visitor is created.
#[derive(InputObject)]
struct SignInVisitorInput {
    /// The refresh token of the previous sign-in on a page of this website. If it is refused, sign in again
    /// without it.
    refresh_token: Option<String>,
    /// A JWT that your server signed with the room's identity secret (HS256). Claims: `aud` is the room's id,
    /// `sub` is the visitor's `externalId`, `exp` is at most one hour from now. Optional: `name`, and
    /// `attributes` as an object of strings.
    identity_token: Option<String>,
    /// The display name of the visitor: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed. Ignored if `identityToken` identifies the visitor.
    display_name: Option<String>,
    /// The page of the website that the visitor is on. It becomes their `currentPage`.
    page: Option<WebPageInput>,
}

/// The result of `signInVisitor`.
#[derive(SimpleObject)]
struct SignInVisitorPayload {
    /// The token for the header `Authorization: Bearer`, valid for 15 minutes. Renew it with `renewToken`.
    token: Option<String>,
    /// The time at which the token expires.
    expires_at: Option<DateTime>,
    /// The refresh token: valid once, within 30 days. Store it where only pages of the website can read it.
    refresh_token: Option<String>,
    /// The signed-in visitor. Nested fields are resolved with the visitor's permissions.
    viewer: Option<Viewer>,
    /// The room that the widget belongs to.
    room: Option<Room>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The refresh token of the viewer, if there is one.
#[derive(InputObject)]
struct RenewTokenInput {
    /// The refresh token of the sign-in or of the previous renewal. Omit it for tokens that did not come from a
    /// sign-in, such as those from `issueToken`. The new token then has the same lifetime, and renewals end 30
    /// days after the first token was issued.
    refresh_token: Option<String>,
}

/// The result of `renewToken`.
#[derive(SimpleObject)]
struct RenewTokenPayload {
    /// The new token for the header `Authorization: Bearer`. If the request came over a WebSocket, the socket
    /// stays open until this token expires.
    token: Option<String>,
    /// The time at which the token expires.
    expires_at: Option<DateTime>,
    /// The next refresh token. Null if the token is renewed without one.
    refresh_token: Option<String>,
    /// The viewer, the same as before.
    viewer: Option<Viewer>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The tokens to revoke.
#[derive(InputObject)]
struct SignOutInput {
    /// True to revoke all tokens of the viewer, on all devices. False to revoke only the tokens of this
    /// sign-in, including renewed ones and refresh tokens.
    #[graphql(default)]
    everywhere: bool,
}

/// The result of `signOut`.
#[derive(SimpleObject)]
struct SignOutPayload {
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The owner of the tokens to revoke.
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
    /// The decoded subject. `field` is the path of the actor's id in the input.
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
    /// Signs a visitor in on a page of the room's website. Call it over HTTP from one of the room's
    /// `allowedOrigins`, with the room's `widgetKey` as bearer token. The rate is limited per IP address and
    /// per room. Errors: `INVALID` if a token is refused.
    async fn sign_in_visitor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The visitor to sign in.")] input: SignInVisitorInput,
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

    /// Issues another token for the viewer, before the current one expires. Over a WebSocket, it also keeps
    /// the socket open. Errors: `INVALID` if the refresh token is refused.
    async fn renew_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The refresh token, if there is one.")] input: RenewTokenInput,
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

    /// Signs the viewer out: revokes their tokens, closes their sockets with code 4403, and ends their
    /// presences. Idempotent.
    async fn sign_out(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tokens to revoke.")] input: SignOutInput,
    ) -> Result<Option<SignOutPayload>> {
        let caller = caller(context)?;
        let signed_out = caller.actions.sign_out(&caller.viewer, input.everywhere).await;
        let (_, user_errors) = settle(signed_out.map_err(Halt::from))?;
        Ok(Some(SignOutPayload { user_errors }))
    }

    /// Revokes all tokens of an actor or API client, including refresh tokens, closes their sockets with code
    /// 4403, and ends their presences. For admins.
    async fn revoke_tokens(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The owner of the tokens.")] input: RevokeTokensInput,
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
