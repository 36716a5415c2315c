//! Validation that the library does not do in full: directives, `__typename`, the use of variables, and the
//! number of aliases, directives and fragments.

use super::prices::PRICES;
use super::{DocumentLimits, Fragments, too_many};
use crate::graphql::door::{Code, Refusal};
use async_graphql::parser::types::{
    Directive, OperationDefinition, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;
use std::collections::HashSet;

/// Checks the operation and each fragment that it uses, once.
pub(super) fn check(
    operation: &Positioned<OperationDefinition>,
    fragments: &Fragments,
    limits: &DocumentLimits,
) -> Result<(), Refusal> {
    if fragments.len() > limits.fragments {
        return Err(too_many("fragments", limits.fragments));
    }
    let definitions = &operation.node.variable_definitions;
    // The library panics at the default of a variable whose type it does not know.
    let unknown = definitions.iter().find(|definition| !PRICES.is_input(&definition.node.var_type.node));
    if let Some(definition) = unknown {
        return Err(invalid("A variable must have an input type of the schema.", definition.pos));
    }
    let mut found = Found { definitions, used: HashSet::new(), waiting: Vec::new(), counts: [0; 3] };
    found.directives(&operation.node.directives)?;
    found.set(&operation.node.selection_set.node)?;
    let mut seen = HashSet::new();
    while let Some(name) = found.waiting.pop() {
        if let Some(fragment) = fragments.get(name)
            && seen.insert(name)
        {
            found.directives(&fragment.node.directives)?;
            found.set(&fragment.node.selection_set.node)?;
        }
    }
    let [aliases, directives, spreads] = found.counts;
    for (what, count, most) in [
        ("aliases", aliases, limits.aliases),
        ("directives", directives, limits.directives),
        ("fragment spreads", spreads, limits.spreads),
    ] {
        if count > most {
            return Err(too_many(what, most));
        }
    }
    let unused = definitions.iter().find(|definition| !found.used.contains(&definition.node.name.node));
    match unused {
        Some(definition) => Err(invalid("A declared variable is not used.", definition.pos)),
        None => Ok(()),
    }
}

fn invalid(message: &str, position: Pos) -> Refusal {
    Refusal { location: Some(position), ..Refusal::new(Code::ValidationFailed, message) }
}

struct Found<'a> {
    definitions: &'a [Positioned<VariableDefinition>],
    used: HashSet<&'a Name>,
    /// Fragments whose spreads were found.
    waiting: Vec<&'a Name>,
    /// Aliases, directives and spreads.
    counts: [usize; 3],
}

impl<'a> Found<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Result<(), Refusal> {
        for item in &set.items {
            self.directives(item.node.directives())?;
            match &item.node {
                Selection::Field(field) => {
                    let position = field.pos;
                    let field = &field.node;
                    self.counts[0] += usize::from(field.alias.is_some());
                    let is_bare = field.arguments.is_empty() && field.selection_set.node.items.is_empty();
                    if field.name.node == "__typename" && !is_bare {
                        return Err(invalid("`__typename` takes no arguments and no selection.", position));
                    }
                    for (_, value) in &field.arguments {
                        self.value(&value.node, value.pos)?;
                    }
                    self.set(&field.selection_set.node)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.counts[2] += 1;
                    self.set(&fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => {
                    self.counts[2] += 1;
                    self.waiting.push(&spread.node.fragment_name.node);
                }
            }
        }
        Ok(())
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>]) -> Result<(), Refusal> {
        for directive in directives {
            self.counts[1] += 1;
            let Directive { name, arguments } = &directive.node;
            if !["skip", "include"].contains(&name.node.as_str()) {
                let message = "Unknown directive. A document can use `@skip` and `@include`.";
                return Err(invalid(message, directive.pos));
            }
            let value = match arguments.as_slice() {
                [(name, value)] if name.node == "if" => value,
                _ => {
                    let message = "`@skip` and `@include` take exactly one argument, `if`.";
                    return Err(invalid(message, directive.pos));
                }
            };
            if !self.is_condition(&value.node) {
                return Err(invalid("`if` must be a Boolean that is not null.", value.pos));
            }
            self.value(&value.node, value.pos)?;
        }
        Ok(())
    }

    /// Whether a value can be the condition of `@skip` or `@include`; an undeclared variable is reported elsewhere.
    fn is_condition(&self, value: &Value) -> bool {
        match value {
            Value::Boolean(_) => true,
            Value::Variable(name) => {
                let definition =
                    self.definitions.iter().find(|definition| definition.node.name.node == *name);
                definition.is_none_or(|definition| {
                    let of_type = definition.node.var_type.node.to_string();
                    of_type == "Boolean!" || (of_type == "Boolean" && definition.node.default_value.is_some())
                })
            }
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => false,
        }
    }

    fn value(&mut self, value: &'a Value, position: Pos) -> Result<(), Refusal> {
        match value {
            Value::Variable(name) => {
                if !self.definitions.iter().any(|definition| definition.node.name.node == *name) {
                    return Err(invalid("A variable is used that the operation does not declare.", position));
                }
                self.used.insert(name);
                Ok(())
            }
            Value::List(items) => items.iter().try_for_each(|item| self.value(item, position)),
            Value::Object(fields) => fields.values().try_for_each(|value| self.value(value, position)),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_) => Ok(()),
        }
    }
}
