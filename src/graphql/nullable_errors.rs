//! Resolves every field. A nullable field that fails becomes null, and the rest of the answer stands, as
//! section 6.4.4 of the GraphQL specification says. async-graphql nulls the parent instead (its issues 798
//! and 1532). Every field also counts toward the limits of an answer, and lets other operations run in
//! between.

use super::door::{Code, Refusal};
use super::rounds::Slice;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
};
use async_graphql::{Response, ServerError, ServerResult, Value};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The maximum size of an answer, in bytes of JSON.
pub const ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The maximum number of fields and list items of an answer. The cost of an operation is an estimate of list
/// lengths; this limit holds when all lists are longer.
const ANSWER_VALUES: usize = 60_000;

/// The extension that makes failing fields null.
pub struct NullableErrors;

impl ExtensionFactory for NullableErrors {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Resolving::default())
    }
}

/// The state of one operation, or of one event of a subscription at a time.
#[derive(Default)]
struct Resolving {
    /// The errors of fields that became null.
    errors: Mutex<Vec<ServerError>>,
    values: AtomicUsize,
    bytes: AtomicUsize,
}

impl Resolving {
    /// The limit that the answer exceeds.
    fn excess(&self) -> Option<Refusal> {
        let message = if self.bytes.load(Ordering::Relaxed) > ANSWER_BYTES {
            format!("The response has more than {ANSWER_BYTES} bytes. Request shorter pages or fewer fields.")
        } else if self.values.load(Ordering::Relaxed) > ANSWER_VALUES {
            format!(
                "The response has more than {ANSWER_VALUES} values. Request shorter pages or fewer fields."
            )
        } else {
            return None;
        };
        Some(Refusal::new(Code::LimitExceeded, message))
    }

    fn begin(&self) {
        self.values.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }
}

/// The size of a scalar in bytes of JSON. Objects and lists are counted by their parts.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Enum(name) => name.len() + 2,
        Value::Binary(bytes) => bytes.len(),
        Value::Number(_) => 8,
        Value::Null | Value::Boolean(_) | Value::List(_) | Value::Object(_) => 4,
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Resolving {
    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        self.begin();
        let mut response = next.run(context, operation_name).await;
        let mut errors = std::mem::take(&mut *self.errors.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(excess) = self.excess() {
            return Response::from_errors(vec![excess.to_server_error()]);
        }
        response.errors.append(&mut errors);
        response
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        self.values.fetch_add(1, Ordering::Relaxed);
        // A mutation that was announced is carried out, even if its answer is too large.
        if info.parent_type != "Mutation"
            && let Some(excess) = self.excess()
        {
            return Err(excess.to_server_error());
        }
        if let Some(slice) = context.data_opt::<Slice>() {
            slice.take().await;
        }
        let is_nullable = !info.return_type.ends_with('!');
        // An item of a list has no name of its own.
        let name =
            if info.parent_type.starts_with('[') { 0 } else { info.alias.unwrap_or(info.name).len() + 3 };
        let resolved = match next.run(context, info).await {
            Err(error) if is_nullable => {
                if self.excess().is_none() {
                    self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                }
                Some(Value::Null)
            }
            other => other?,
        };
        let bytes = name + 1 + resolved.as_ref().map_or(4, size);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(resolved)
    }
}
