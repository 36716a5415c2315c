//! Creating and updating users and visitors, and issuing tokens.

use super::super::caller::caller;
use super::super::enums::UserRole;
use super::super::error::Result;
use super::super::id::{Halt, Kind};
use super::super::payload::{UserErrors, settle};
use super::super::scalar::DateTime;
use super::super::sign_in::TokenSubjectInput;
use super::{User, Visitor};
use crate::actions::{CreateUser, IssueToken, UpdateUser, UpsertVisitor};
use crate::domain::field_path::FieldPath;
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::ActorId;

/// A user to create in the organization.
#[derive(InputObject)]
struct CreateUserInput {
    /// The name that staff see: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed.
    name: String,
    /// The name that visitors see: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed. Default: `name`.
    public_name: Option<String>,
    /// The role of the new user.
    role: UserRole,
    /// The id of the user in the organization's own systems: 1–128 characters, unique among users.
    external_id: Option<String>,
}

/// The result of `createUser`.
#[derive(SimpleObject)]
struct CreateUserPayload {
    /// The user that was created.
    user: Option<User>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Changes to a user. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateUserInput {
    /// The id of the user.
    user_id: ID,
    /// The name that staff see: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed.
    name: Option<String>,
    /// The name that visitors see: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed.
    public_name: Option<String>,
    /// The role of the user. An organization must keep at least one active ADMIN.
    role: Option<UserRole>,
    /// False deactivates the user: revokes their tokens, closes their sockets and ends their presences. True
    /// activates them again.
    is_active: Option<bool>,
}

/// The result of `updateUser`.
#[derive(SimpleObject)]
struct UpdateUserPayload {
    /// The current state of the user.
    user: Option<User>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A custom attribute: a name and a value.
#[derive(InputObject)]
struct AttributeInput {
    /// The name of the attribute: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed.
    name: String,
    /// The value of the attribute: up to 1,000 characters.
    value: String,
}

/// A visitor to create, or to update if one with this `externalId` exists.
#[derive(InputObject)]
struct UpsertVisitorInput {
    /// The id of the visitor in the organization's own systems: 1–128 characters.
    external_id: String,
    /// The name of the visitor: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed. Null removes it; if absent, it is unchanged.
    display_name: MaybeUndefined<String>,
    /// All custom attributes of the visitor, up to 50. They replace the existing ones; if absent, those are
    /// unchanged.
    attributes: Option<Vec<AttributeInput>>,
}

/// The result of `upsertVisitor`.
#[derive(SimpleObject)]
struct UpsertVisitorPayload {
    /// The current state of the visitor.
    visitor: Option<Visitor>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A token to issue, and the caller who will use it.
#[derive(InputObject)]
struct IssueTokenInput {
    /// The user, visitor or API client that the token is for. The name of an unknown API client creates it.
    subject: TokenSubjectInput,
    /// The lifetime of the token in seconds: 60–31,536,000 (one year).
    #[graphql(default = 3600)]
    expires_in_seconds: i32,
}

/// The result of `issueToken`.
#[derive(SimpleObject)]
struct IssueTokenPayload {
    /// The token for the header `Authorization: Bearer`. It is shown only once.
    token: Option<String>,
    /// The time at which the token expires.
    expires_at: Option<DateTime>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct ActorMutation;

#[Object]
impl ActorMutation {
    /// Creates a user. For admins. Errors: `CONFLICT` if the `externalId` is taken.
    async fn create_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user to create.")] input: CreateUserInput,
    ) -> Result<Option<CreateUserPayload>> {
        let caller = caller(context)?;
        let CreateUserInput { name, public_name, role, external_id } = input;
        let input = CreateUser { name, public_name, role: role.into(), external_id };
        let created = caller.actions.create_user(&caller.viewer, input).await;
        let (row, user_errors) = settle(created.map_err(Halt::from))?;
        Ok(Some(CreateUserPayload { user: row.map(User), user_errors }))
    }

    /// Updates a user. For admins.
    async fn update_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes to the user.")] input: UpdateUserInput,
    ) -> Result<Option<UpdateUserPayload>> {
        let caller = caller(context)?;
        let UpdateUserInput { user_id, name, public_name, role, is_active } = input;
        let id = Kind::User.decode(&user_id)?.map(ActorId);
        let updated = async {
            let user_id = ActorId(Kind::User.expect(&user_id, "user", "userId")?);
            let input = UpdateUser { user_id, name, public_name, role: role.map(Into::into), is_active };
            Ok(caller.actions.update_user(&caller.viewer, input).await?)
        };
        let (row, user_errors) = settle(updated.await)?;
        let user = match (row, id) {
            (None, Some(id)) => caller.actions.actor(&caller.viewer, id).await?.and_then(User::new),
            (row, _) => row.map(User),
        };
        Ok(Some(UpdateUserPayload { user, user_errors }))
    }

    /// Creates a visitor, or updates the one with the same `externalId`. Idempotent. For admins and API
    /// clients.
    async fn upsert_visitor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The visitor to create or update.")] input: UpsertVisitorInput,
    ) -> Result<Option<UpsertVisitorPayload>> {
        let caller = caller(context)?;
        let UpsertVisitorInput { external_id, display_name, attributes } = input;
        let pair = |AttributeInput { name, value }| (name, value);
        let input = UpsertVisitor {
            external_id,
            display_name: display_name.into(),
            attributes: attributes.map(|attributes| attributes.into_iter().map(pair).collect()),
        };
        let upserted = caller.actions.upsert_visitor(&caller.viewer, input).await;
        let (row, user_errors) = settle(upserted.map_err(Halt::from))?;
        Ok(Some(UpsertVisitorPayload { visitor: row.map(Visitor), user_errors }))
    }

    /// Issues a token. Admins can issue tokens for every caller of the organization, API clients only for
    /// visitors.
    async fn issue_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token to issue.")] input: IssueTokenInput,
    ) -> Result<Option<IssueTokenPayload>> {
        let caller = caller(context)?;
        let IssueTokenInput { subject, expires_in_seconds } = input;
        let issued = async {
            let input = IssueToken {
                subject: subject.decode(FieldPath::of("subject").field("actorId"))?,
                expires_in_seconds: Some(expires_in_seconds),
            };
            Ok(caller.actions.issue_token(&caller.viewer, input).await?)
        };
        let (issued, user_errors) = settle(issued.await)?;
        let (token, expires_at) = issued.map(|issued| (issued.token, DateTime(issued.expires_at))).unzip();
        Ok(Some(IssueTokenPayload { token, expires_at, user_errors }))
    }
}
