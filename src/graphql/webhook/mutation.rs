//! Creating, changing and deleting webhooks, and repeating deliveries.

use super::super::caller::{Caller, caller};
use super::super::enums::WebhookEvent;
use super::super::error::Result;
use super::super::id::{Halt, Kind};
use super::super::loaders::Seen;
use super::super::payload::{UserErrors, settle};
use super::{Webhook, WebhookDelivery};
use crate::actions::{CreateWebhook, UpdateWebhook};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{SecretText, WebhookDeliveryId, WebhookId, webhook};

/// A webhook to create. An organization can have up to 20.
#[derive(InputObject)]
struct CreateWebhookInput {
    /// The URL that receives the events: `https://…`, up to 2,000 characters, at a public address. `http://…`
    /// and private addresses are accepted only within networks that the server's operator allows.
    url: String,
    /// The events that the webhook receives, at least one.
    events: Vec<WebhookEvent>,
    /// The value of the header `X-WEBHOOK-API-KEY`: 1–500 visible ASCII characters.
    api_key: String,
    /// The value of the header `X-WEBHOOK-API-SECRET`: 1–500 visible ASCII characters. The API never returns
    /// it.
    api_secret: String,
}

/// The result of `createWebhook`.
#[derive(SimpleObject)]
struct CreateWebhookPayload {
    /// The new webhook, which is enabled.
    webhook: Option<Webhook>,
    /// The secret to verify signatures with, for your Standard Webhooks library. Store it: only this payload
    /// shows it.
    signing_secret: Option<String>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Changes to a webhook. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateWebhookInput {
    /// The id of the webhook.
    webhook_id: ID,
    /// The URL that receives the events, as for `createWebhook`.
    url: Option<String>,
    /// The events that the webhook receives, at least one.
    events: Option<Vec<WebhookEvent>>,
    /// The value of the header `X-WEBHOOK-API-KEY`: 1–500 visible ASCII characters.
    api_key: Option<String>,
    /// The value of the header `X-WEBHOOK-API-SECRET`: 1–500 visible ASCII characters. The API never returns
    /// it.
    api_secret: Option<String>,
    /// False disables the webhook and cancels its pending deliveries. True enables it again.
    is_enabled: Option<bool>,
}

/// The result of `updateWebhook`.
#[derive(SimpleObject)]
struct UpdateWebhookPayload {
    /// The current state of the webhook.
    webhook: Option<Webhook>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The webhook that gets a new signing secret.
#[derive(InputObject)]
struct RotateSigningSecretInput {
    /// The id of the webhook.
    webhook_id: ID,
    /// Makes retries safe: 1–128 characters. Calls with the same id replace the secret once and return the
    /// same one.
    request_id: Option<String>,
}

/// The result of `rotateSigningSecret`.
#[derive(SimpleObject)]
struct RotateSigningSecretPayload {
    /// The webhook whose secret was replaced.
    webhook: Option<Webhook>,
    /// The new secret, for your Standard Webhooks library. Store it: only this payload shows it. Null for a
    /// retry if the secret has been replaced again.
    signing_secret: Option<String>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A webhook to delete.
#[derive(InputObject)]
struct DeleteWebhookInput {
    /// The id of the webhook.
    webhook_id: ID,
}

/// The result of `deleteWebhook`.
#[derive(SimpleObject)]
struct DeleteWebhookPayload {
    /// The id of the deleted webhook. Null if it was not deleted.
    deleted_webhook_id: Option<ID>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A delivery to repeat.
#[derive(InputObject)]
struct RedeliverWebhookInput {
    /// The id of the delivery. Its webhook must be enabled.
    delivery_id: ID,
}

/// The result of `redeliverWebhook`.
#[derive(SimpleObject)]
struct RedeliverWebhookPayload {
    /// The delivery in its new state: PENDING, with no attempts, and with the same `webhook-id` and body.
    delivery: Option<WebhookDelivery>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Creates a webhook. For admins. Errors: `INVALID` beyond 20 webhooks.
    async fn create_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook to create.")] input: CreateWebhookInput,
    ) -> Result<Option<CreateWebhookPayload>> {
        let caller = caller(context)?;
        let CreateWebhookInput { url, events, api_key, api_secret } = input;
        let events = events.into_iter().map(Into::into).collect();
        let input = CreateWebhook { url, events, api_key, api_secret: api_secret.into() };
        let created = caller.actions.create_webhook(&caller.viewer, input).await;
        let (webhook, user_errors) = settle(created.map_err(Halt::from))?;
        Ok(Some(CreateWebhookPayload {
            signing_secret: webhook.as_ref().map(|webhook| webhook.signing_secret.expose().to_owned()),
            webhook: webhook.map(Webhook),
            user_errors,
        }))
    }

    /// Updates a webhook. For admins.
    async fn update_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes to the webhook.")] input: UpdateWebhookInput,
    ) -> Result<Option<UpdateWebhookPayload>> {
        let caller = caller(context)?;
        let webhook_id = input.webhook_id.clone();
        let (webhook, user_errors) = settle(update(caller, input).await)?;
        let webhook = match (webhook, Kind::Webhook.decode(&webhook_id)?) {
            (None, Some(id)) => caller.load(Seen(WebhookId(id))).await?,
            (webhook, _) => webhook,
        };
        Ok(Some(UpdateWebhookPayload { webhook: webhook.map(Webhook), user_errors }))
    }

    /// Replaces a webhook's signing secret. For 24 hours, requests are signed with both secrets, so that you
    /// can update the receiver without missing events. For admins.
    async fn rotate_signing_secret(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook that gets a new signing secret.")] input: RotateSigningSecretInput,
    ) -> Result<Option<RotateSigningSecretPayload>> {
        let caller = caller(context)?;
        let RotateSigningSecretInput { webhook_id, request_id } = input;
        let rotated = async {
            let id = WebhookId(Kind::Webhook.expect(&webhook_id, "webhook", "webhookId")?);
            Ok(caller.actions.rotate_signing_secret(&caller.viewer, id, request_id).await?)
        };
        let (rotated, user_errors) = settle(rotated.await)?;
        let (webhook, secret) = rotated.map(|rotated| (Webhook(rotated.of), rotated.secret)).unzip();
        Ok(Some(RotateSigningSecretPayload { webhook, signing_secret: secret.flatten(), user_errors }))
    }

    /// Deletes a webhook with all its deliveries. For admins.
    async fn delete_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook to delete.")] input: DeleteWebhookInput,
    ) -> Result<Option<DeleteWebhookPayload>> {
        let caller = caller(context)?;
        let deleted = async {
            let id = WebhookId(Kind::Webhook.expect(&input.webhook_id, "webhook", "webhookId")?);
            Ok(caller.actions.delete_webhook(&caller.viewer, id).await?)
        };
        let (deleted, user_errors) = settle(deleted.await)?;
        Ok(Some(DeleteWebhookPayload { deleted_webhook_id: deleted.map(|()| input.webhook_id), user_errors }))
    }

    /// Sends a delivery again, whether it failed or succeeded, in a new series of ten attempts. A delivery
    /// that is being attempted right now is not restarted. For admins.
    async fn redeliver_webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The delivery to repeat.")] input: RedeliverWebhookInput,
    ) -> Result<Option<RedeliverWebhookPayload>> {
        let caller = caller(context)?;
        let id = &input.delivery_id;
        let redelivered = async {
            let id = WebhookDeliveryId(Kind::WebhookDelivery.expect(id, "delivery", "deliveryId")?);
            Ok(caller.actions.redeliver_webhook(&caller.viewer, id).await?)
        };
        let (delivery, user_errors) = settle(redelivered.await)?;
        let delivery = match (delivery, Kind::WebhookDelivery.decode(id)?) {
            (None, Some(id)) => caller.load(Seen(WebhookDeliveryId(id))).await?,
            (delivery, _) => delivery,
        };
        Ok(Some(RedeliverWebhookPayload { delivery: delivery.map(WebhookDelivery), user_errors }))
    }
}

async fn update(caller: &Caller, input: UpdateWebhookInput) -> std::result::Result<webhook::Model, Halt> {
    let UpdateWebhookInput { webhook_id, url, events, api_key, api_secret, is_enabled } = input;
    let input = UpdateWebhook {
        webhook_id: WebhookId(Kind::Webhook.expect(&webhook_id, "webhook", "webhookId")?),
        url,
        events: events.map(|events| events.into_iter().map(Into::into).collect()),
        api_key,
        api_secret: api_secret.map(SecretText::from),
        is_enabled,
    };
    Ok(caller.actions.update_webhook(&caller.viewer, input).await?)
}
