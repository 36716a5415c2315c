//! Applies the values of variables according to the GraphQL specification (sections 6.1.2 and 6.4.1), so that
//! the library has nothing left to decide. A variable without a value takes its default. If it has none, the
//! argument counts as absent, and the argument's own default applies.

use super::Fragments;
use super::prices::{PRICES, Place, Type};
use crate::graphql::door::{Code, Refusal};
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
    SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value as Input;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Removes the arguments that have no value from the document. Call [`fill_in`] first.
pub(super) fn settle(document: &mut ExecutableDocument, variables: &Map<String, Value>) {
    let ExecutableDocument { operations, fragments } = document;
    let operation = match operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(operations) => operations.values_mut().next(),
    };
    let Some(operation) = operation.map(|operation| &mut operation.node) else { return };
    let nullable = |definition: &Positioned<VariableDefinition>| {
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        (var_type.node.nullable && default_value.is_none()).then(|| name.node.clone())
    };
    let nullable: HashSet<_> = operation.variable_definitions.iter().filter_map(nullable).collect();
    if nullable.is_empty() {
        return;
    }
    let root = match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let settler = Settler { nullable: &nullable, variables };
    settler.set(&mut operation.selection_set.node, PRICES.named(root));
    for fragment in fragments.values_mut() {
        let on = PRICES.named(fragment.node.type_condition.node.on.node.as_str());
        settler.set(&mut fragment.node.selection_set.node, on);
    }
    // A definition that is left without a use would be refused as unused.
    let used = used(operation, fragments);
    operation.variable_definitions.retain(|definition| {
        let name = &definition.node.name.node;
        used.contains(name) || !nullable.contains(name)
    });
}

/// Gives each variable its default, and refuses a required variable without a value.
pub(super) fn fill_in(
    operation: &OperationDefinition,
    variables: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    for definition in &operation.variable_definitions {
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        let name = name.node.as_str();
        if let (None, Some(default)) = (variables.get(name), default_value)
            && let Ok(default) = default.node.clone().into_json()
        {
            variables.insert(name.to_owned(), default);
        }
        if !var_type.node.nullable && variables.get(name).is_none_or(Value::is_null) {
            return Err(Refusal {
                location: Some(definition.pos),
                ..Refusal::new(Code::BadUserInput, "A required variable has no value.")
            });
        }
    }
    Ok(())
}

struct Settler<'a> {
    /// Variables that are nullable and have no default.
    nullable: &'a HashSet<Name>,
    variables: &'a Map<String, Value>,
}

impl Settler<'_> {
    fn set(&self, set: &mut SelectionSet, parent: Option<&'static Type>) {
        for item in &mut set.items {
            match &mut item.node {
                Selection::Field(field) => {
                    let field = &mut field.node;
                    let price = parent.and_then(|parent| parent.fields.get(field.name.node.as_str()));
                    field.arguments.retain_mut(|(name, value)| {
                        let place = price.and_then(|price| price.arguments.get(&name.node));
                        self.is_given(&mut value.node, place)
                    });
                    let of_type = price.and_then(super::prices::Field::composite);
                    self.set(&mut field.selection_set.node, of_type);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref();
                    let on = on.map_or(parent, |on| PRICES.named(on.node.on.node.as_str()));
                    self.set(&mut fragment.node.selection_set.node, on);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Settles the parts of a value. Returns whether the value itself is given.
    fn is_given(&self, value: &mut Input, place: Option<&Place>) -> bool {
        match value {
            Input::Variable(name) if self.nullable.contains(name) => {
                let Some(given) = self.variables.get(name.as_str()) else { return false };
                // Allowed by section 5.8.5, but not by the library: a literal is.
                if place.is_some_and(|place| place.has_default)
                    && let Ok(literal) = Input::from_json(given.clone())
                {
                    *value = literal;
                }
            }
            Input::List(items) => {
                for item in items {
                    if !self.is_given(item, place) {
                        *item = Input::Null;
                    }
                }
            }
            Input::Object(fields) => {
                let of_input = place.and_then(Place::fields);
                fields
                    .retain(|name, value| self.is_given(value, of_input.and_then(|places| places.get(name))));
            }
            Input::Variable(_)
            | Input::Null
            | Input::Number(_)
            | Input::String(_)
            | Input::Boolean(_)
            | Input::Binary(_)
            | Input::Enum(_) => {}
        }
        true
    }
}

/// The variables that an operation and its fragments use.
fn used(operation: &OperationDefinition, fragments: &Fragments) -> HashSet<Name> {
    let mut used = HashSet::new();
    of_directives(&operation.directives, &mut used);
    of_set(&operation.selection_set.node, &mut used);
    for fragment in fragments.values() {
        of_directives(&fragment.node.directives, &mut used);
        of_set(&fragment.node.selection_set.node, &mut used);
    }
    used
}

fn of_set(set: &SelectionSet, used: &mut HashSet<Name>) {
    for item in &set.items {
        of_directives(item.node.directives(), used);
        match &item.node {
            Selection::Field(field) => {
                for (_, value) in &field.node.arguments {
                    of_value(&value.node, used);
                }
                of_set(&field.node.selection_set.node, used);
            }
            Selection::InlineFragment(fragment) => of_set(&fragment.node.selection_set.node, used),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn of_directives(directives: &[Positioned<Directive>], used: &mut HashSet<Name>) {
    for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        of_value(&value.node, used);
    }
}

fn of_value(value: &Input, used: &mut HashSet<Name>) {
    match value {
        Input::Variable(name) => {
            used.insert(name.clone());
        }
        Input::List(items) => items.iter().for_each(|item| of_value(item, used)),
        Input::Object(fields) => fields.values().for_each(|value| of_value(value, used)),
        Input::Null
        | Input::Number(_)
        | Input::String(_)
        | Input::Boolean(_)
        | Input::Binary(_)
        | Input::Enum(_) => {}
    }
}
