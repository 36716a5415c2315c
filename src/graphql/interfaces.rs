//! Interfaces that implement `Node`. async-graphql 8.0.0-rc.5 lets only objects implement an interface. The
//! registry accepts the declaration for the SDL, and this module completes the answers of introspection.

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, Response, ServerResult, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The interface that the other interfaces implement.
const NODE: &str = "Node";
/// The interfaces that implement `Node`.
const IMPLEMENTING: [&str; 2] = ["Actor", "Attachment"];

/// Declares which interfaces implement `Node`.
pub(super) struct Interfaces;

/// A registered type is asked to declare itself. No field returns this one.
impl OutputType for Interfaces {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(NODE)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        for interface in IMPLEMENTING {
            registry.add_implements(interface, NODE);
        }
        NODE.to_owned()
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}

impl ExtensionFactory for Interfaces {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Interfaces {
    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(context, operation_name).await;
        if let Value::Object(data) = &mut response.data
            && data.keys().any(|key| matches!(key.as_str(), "__schema" | "__type"))
        {
            let node = as_interface(&response.data).unwrap_or_else(|| {
                let parts = [("kind", Value::Enum(Name::new("INTERFACE"))), ("name", Value::from(NODE))];
                Value::Object(parts.into_iter().map(|(name, value)| (Name::new(name), value)).collect())
            });
            complete(&mut response.data, &node);
        }
        response
    }
}

/// `Node` with the fields that were selected of an interface, in the shape of an object that implements it.
fn as_interface(value: &Value) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            let interfaces = match fields.get("interfaces") {
                Some(Value::List(interfaces)) => interfaces.as_slice(),
                Some(_) | None => &[],
            };
            let found = interfaces.iter().find(|interface| is_named(interface, &[NODE]));
            found.cloned().or_else(|| fields.values().find_map(as_interface))
        }
        Value::List(items) => items.iter().find_map(as_interface),
        Value::Null
        | Value::Number(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_) => None,
    }
}

/// Adds `interfaces` to each interface that implements `Node`.
fn complete(value: &mut Value, node: &Value) {
    if let Value::List(items) = value {
        for item in items {
            complete(item, node);
        }
        return;
    }
    let is_implementing = is_named(value, &IMPLEMENTING);
    let is_interface = is_implementing || is_named(value, &[NODE]);
    let Value::Object(fields) = value else { return };
    if is_interface && let Some(interfaces) = fields.get_mut("interfaces") {
        *interfaces = Value::List(if is_implementing { vec![node.clone()] } else { Vec::new() });
    }
    for field in fields.values_mut() {
        complete(field, node);
    }
}

fn is_named(value: &Value, names: &[&str]) -> bool {
    let Value::Object(fields) = value else { return false };
    matches!(fields.get("name"), Some(Value::String(name)) if names.contains(&name.as_str()))
}
