//! `/graphql` over HTTP, according to the GraphQL over HTTP specification.

use super::connections::Link;
use super::negotiate::{Format, format, is_json};
use super::operation::{self, Arrival, Parameters};
use super::{Door, address, answer, auth, sse, websocket};
use crate::graphql::door::{Code, Refusal};
use async_graphql::parser::types::OperationType;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Query, Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

/// Handles all requests to `/graphql`.
pub(super) async fn handle(State(door): State<Door>, request: Request) -> Response {
    if asks_for_websocket(&request) {
        return upgrade(door, request).await;
    }
    let Some(format) = format(request.headers()) else {
        let refusal = Refusal::new(
            Code::BadUserInput,
            "`Accept` must allow `application/json`, `application/graphql-response+json` or `text/event-stream`.",
        );
        return answer::refused(StatusCode::NOT_ACCEPTABLE, Format::Json, &refusal);
    };
    match respond(&door, request, format).await {
        Ok(response) => response,
        Err((status, refusal)) => {
            let mut response = answer::refused(status, format, &refusal);
            if status == StatusCode::METHOD_NOT_ALLOWED {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
            }
            if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status) {
                let seconds = refusal.retry_after.map_or(1, |wait| wait.as_secs() + 1);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            if status == StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

/// Whether the request asks to upgrade to WebSocket. Any other upgrade, such as `h2c`, is ignored, as RFC
/// 9110 section 7.8 permits.
fn asks_for_websocket(request: &Request) -> bool {
    let offers = request.headers().get_all(header::UPGRADE).into_iter();
    let mut offers = offers.filter_map(|offer| offer.to_str().ok()).flat_map(|offer| offer.split(','));
    request.method() == Method::GET && offers.any(|offer| offer.trim().eq_ignore_ascii_case("websocket"))
}

/// Upgrades to a socket. It authenticates with its first message, or else with the header of the upgrade
/// request.
async fn upgrade(door: Door, request: Request) -> Response {
    let token = auth::from_headers(request.headers()).map(str::to_owned);
    let (mut parts, _) = request.into_parts();
    let Some(link) = parts.extensions.get::<Link>().cloned() else { return answer::internal() };
    if let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &door).await {
        websocket::accept(door, upgrade, token, link)
    } else {
        let refusal = Refusal::new(Code::BadUserInput, "The request is not a WebSocket handshake.");
        answer::refused(StatusCode::BAD_REQUEST, Format::Json, &refusal)
    }
}

async fn respond(door: &Door, request: Request, format: Format) -> Result<Response, (StatusCode, Refusal)> {
    let deadline = Instant::now() + door.limits.operation_within;
    let (parts, body) = request.into_parts();
    let is_post = parts.method == Method::POST;
    if !is_post && parts.method != Method::GET {
        let refusal = Refusal::new(Code::BadUserInput, "The method must be GET or POST.");
        return Err((StatusCode::METHOD_NOT_ALLOWED, refusal));
    }
    let (token, origin) = (auth::from_headers(&parts.headers), auth::origin(&parts.headers));
    let viewer = auth::authenticate(door, token, origin, deadline).await?;
    let parameters = if is_post {
        let value = read(door, &parts.headers, body, deadline).await?;
        Parameters::from_json(value)
    } else {
        from_url(&parts.uri)
    };
    let last_event_id = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let address = address::address(&parts.extensions, &parts.headers, &door.trusted_proxies);
    let arrival = Arrival { last_event_id, address, ..Arrival::default() };
    let parameters = parameters.map_err(|refusal| {
        let is_hash = refusal.code == Code::PersistedQueryNotSupported;
        (if is_hash { StatusCode::OK } else { StatusCode::BAD_REQUEST }, refusal)
    })?;
    // A well-formed request with an invalid document or invalid variables. With `application/json`, its
    // status is 200.
    let request_error = match format {
        Format::Json => StatusCode::OK,
        Format::GraphqlResponse | Format::Events => StatusCode::BAD_REQUEST,
    };
    let operation = operation::prepare(door, &viewer, parameters, arrival).map_err(|refusal| {
        let is_too_soon = refusal.code == Code::RateLimited;
        (if is_too_soon { StatusCode::TOO_MANY_REQUESTS } else { request_error }, refusal)
    })?;
    match (operation.kind, format) {
        (OperationType::Mutation, _) if !is_post => {
            let refusal = Refusal::new(Code::BadUserInput, "A mutation must be sent by POST.");
            Err((StatusCode::METHOD_NOT_ALLOWED, refusal))
        }
        (_, Format::Events) => {
            let link = parts.extensions.get::<Link>().cloned();
            let link = link.ok_or_else(|| (StatusCode::INTERNAL_SERVER_ERROR, Refusal::internal()))?;
            sse::respond(door, viewer, operation, link, deadline).await
        }
        (OperationType::Subscription, Format::Json | Format::GraphqlResponse) => {
            let message = "A subscription needs a WebSocket or the header `Accept: text/event-stream`.";
            Err((StatusCode::BAD_REQUEST, Refusal::new(Code::BadUserInput, message)))
        }
        (OperationType::Query | OperationType::Mutation, Format::Json | Format::GraphqlResponse) => {
            let answer = operation::run(door, operation, deadline).await;
            Ok(answer::executed(answer, format, door.limits.errors))
        }
    }
}

async fn read(
    door: &Door,
    headers: &HeaderMap,
    body: Body,
    deadline: Instant,
) -> Result<Value, (StatusCode, Refusal)> {
    if !is_json(headers) {
        let refusal = Refusal::new(Code::BadUserInput, "`Content-Type` must be `application/json`.");
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal));
    }
    let limit = door.limits.body;
    let is_too_large = || {
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::new(Code::LimitExceeded, format!("The body must have at most {limit} bytes.")),
        )
    };
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(is_too_large());
    }
    let bytes = timeout_at(deadline.min(Instant::now() + door.limits.body_within), to_bytes(body, limit))
        .await
        .map_err(|_| {
            (
                StatusCode::REQUEST_TIMEOUT,
                Refusal::new(Code::BadUserInput, "The body did not arrive in time."),
            )
        })?
        .map_err(|_| is_too_large())?;
    serde_json::from_slice(&bytes).map_err(|_| {
        (StatusCode::BAD_REQUEST, Refusal::new(Code::BadUserInput, "The body must be valid JSON."))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UrlParameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn from_url(uri: &axum::http::Uri) -> Result<Parameters, Refusal> {
    let bad = |message: &str| Refusal::new(Code::BadUserInput, message);
    let Query(UrlParameters { query, operation_name, variables, extensions }) =
        Query::try_from_uri(uri).map_err(|_| bad("The parameters of the URL are malformed."))?;
    let object = |text: Option<String>, message: &str| match text.as_deref() {
        None | Some("") => Ok(Value::Null),
        Some(text) => serde_json::from_str::<Value>(text).map_err(|_| bad(message)),
    };
    Parameters::from_json(serde_json::json!({
        "query": query,
        "operationName": operation_name,
        "variables": object(variables, "variables must be a JSON object.")?,
        "extensions": object(extensions, "extensions must be a JSON object.")?,
    }))
}
