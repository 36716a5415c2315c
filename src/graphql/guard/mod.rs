//! Checks a document before the library validates it: its size, selections, cost and variables. Every check
//! is linear in the text, although the library's validator visits each expansion of a fragment. A document
//! that could keep the validator busy never reaches it.
//!
//! Only the operation that the request names is checked and kept. Other operations, and fragments that only
//! they use, are dropped.

mod cost;
mod lexer;
mod prices;
mod rules;
pub mod suggestion;
mod variables;

use super::door::{Code, Refusal};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

pub use cost::Cost;

/// The maximum of each measure of a document.
#[derive(Clone, Copy, Debug)]
pub struct DocumentLimits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Tokens of the text.
    pub tokens: usize,
    /// Nested brackets of any kind in the text.
    pub nesting: usize,
    /// Aliased fields.
    pub aliases: usize,
    /// Directives.
    pub directives: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Fragment spreads and inline fragments.
    pub spreads: usize,
    /// Fields with all fragments expanded.
    pub selections: u64,
    /// Nested fields.
    pub depth: u64,
    /// Nested fields of an introspection query. A chain of `ofType` counts as one level.
    pub introspection_depth: u64,
    /// Root fields of a query.
    pub query_roots: u64,
    /// Root fields of a mutation.
    pub mutation_roots: u64,
    /// Cost of an operation, in units of one plain field of one node (at most 5 µs and 1.3 KiB).
    pub cost: u64,
    /// Cost of the one operation that a widget key may run.
    pub widget_cost: u64,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024,
            tokens: 3_000,
            nesting: 32,
            aliases: 30,
            directives: 50,
            fragments: 60,
            spreads: 200,
            selections: 2_000,
            depth: 12,
            introspection_depth: 13,
            query_roots: 20,
            mutation_roots: 5,
            cost: 50_000,
            widget_cost: 5_000,
        }
    }
}

/// An operation that may run.
#[derive(Debug)]
pub struct Checked {
    /// The operation and its fragments, and no other operation.
    pub document: ExecutableDocument,
    /// Whether it is a query, a mutation or a subscription.
    pub kind: OperationType,
    /// What it selects and costs.
    pub cost: Cost,
    /// The names of its root fields, with fragments expanded; those with `@skip` or `@include` are counted.
    pub roots: Vec<String>,
}

/// Prepares the table of costs, so that the first request does not have to.
pub(super) fn warm_up() {
    std::sync::LazyLock::force(&prices::PRICES);
}

/// Parses and checks the operation that `operation_name` selects. Fills in the defaults of its variables.
///
/// `is_widget` is true for the bearer of a widget key, who may only sign a visitor in.
pub fn check(
    query: &str,
    operation_name: Option<&str>,
    variables: &mut Map<String, Value>,
    is_widget: bool,
    limits: &DocumentLimits,
) -> Result<Checked, Refusal> {
    lexer::check(query, limits)?;
    let parsed = parse_query(query).map_err(|error| Refusal {
        location: error.positions().next(),
        ..Refusal::new(Code::ParseFailed, "The document is not valid GraphQL.")
    })?;
    let (name, operation, fragments) = select(parsed, operation_name)?;
    if is_widget && !only_signs_in(&operation.node, &fragments) {
        return Err(Refusal::new(Code::Forbidden, "A widget key can only run `signInVisitor`."));
    }
    rules::check(&operation, &fragments, limits)?;
    variables::fill_in(&operation.node, variables)?;
    let cost = cost::measure(&operation.node, &fragments, variables)?;
    check_cost(&cost, operation.node.ty, is_widget, limits)?;
    let roots = roots(&operation.node, &fragments);
    let kind = operation.node.ty;
    let operations = match name {
        Some(name) => DocumentOperations::Multiple(HashMap::from([(name, operation)])),
        None => DocumentOperations::Single(operation),
    };
    let mut document = ExecutableDocument { operations, fragments };
    variables::settle(&mut document, variables);
    Ok(Checked { document, kind, cost, roots })
}

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;
type Selected = (Option<Name>, Positioned<OperationDefinition>, Fragments);

/// Takes the operation that is meant, and drops the others with the fragments that only they use.
fn select(document: ExecutableDocument, name: Option<&str>) -> Result<Selected, Refusal> {
    let ExecutableDocument { operations, mut fragments } = document;
    let no_such =
        || Refusal::new(Code::ValidationFailed, "`operationName` must name an operation of the document.");
    let (name, operation, others) = match operations {
        DocumentOperations::Single(operation) if name.is_none() => (None, operation, HashMap::new()),
        DocumentOperations::Single(_) => return Err(no_such()),
        DocumentOperations::Multiple(mut operations) => {
            let name = match name {
                Some(name) => Name::new(name),
                None if operations.len() == 1 => operations.keys().next().cloned().ok_or_else(no_such)?,
                None => return Err(no_such()),
            };
            let operation = operations.remove(&name).ok_or_else(no_such)?;
            (Some(name), operation, operations)
        }
    };
    if !others.is_empty() {
        let own = reachable([&operation.node.selection_set.node], &fragments);
        let of_others = reachable(others.values().map(|other| &other.node.selection_set.node), &fragments);
        fragments.retain(|name, _| own.contains(name) || !of_others.contains(name));
    }
    Ok((name, operation, fragments))
}

/// The fragments that selection sets use, directly or through other fragments.
fn reachable<'a>(sets: impl IntoIterator<Item = &'a SelectionSet>, fragments: &Fragments) -> HashSet<Name> {
    let mut found = HashSet::new();
    let mut waiting = Vec::new();
    for set in sets {
        spreads(set, &mut waiting);
    }
    while let Some(name) = waiting.pop() {
        if let Some(fragment) = fragments.get(&name)
            && found.insert(name)
        {
            spreads(&fragment.node.selection_set.node, &mut waiting);
        }
    }
    found
}

fn spreads(set: &SelectionSet, found: &mut Vec<Name>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => spreads(&field.node.selection_set.node, found),
            Selection::InlineFragment(fragment) => spreads(&fragment.node.selection_set.node, found),
            Selection::FragmentSpread(spread) => found.push(spread.node.fragment_name.node.clone()),
        }
    }
}

/// Whether an operation is a mutation that selects nothing but `signInVisitor` (and `__typename`).
fn only_signs_in(operation: &OperationDefinition, fragments: &Fragments) -> bool {
    let mut sets = vec![&operation.selection_set.node];
    let mut seen = HashSet::new();
    let mut is_one = operation.ty == OperationType::Mutation;
    while let Some(set) = sets.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    is_one &= ["signInVisitor", "__typename"].contains(&field.node.name.node.as_str());
                }
                Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = fragments.get(name)
                        && seen.insert(name)
                    {
                        sets.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    is_one
}

/// The root fields with fragments expanded. The number of selections was checked before.
fn roots(operation: &OperationDefinition, fragments: &Fragments) -> Vec<String> {
    let mut sets = vec![&operation.selection_set.node];
    let mut found = Vec::new();
    while let Some(set) = sets.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => found.push(field.node.name.node.to_string()),
                Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let fragment = fragments.get(&spread.node.fragment_name.node);
                    sets.extend(fragment.map(|fragment| &fragment.node.selection_set.node));
                }
            }
        }
    }
    found
}

fn check_cost(
    cost: &Cost,
    kind: OperationType,
    is_widget: bool,
    limits: &DocumentLimits,
) -> Result<(), Refusal> {
    if cost.selections > limits.selections {
        return Err(limit("fields, with fragments expanded,", limits.selections));
    }
    let depth = if cost.is_introspection { limits.introspection_depth } else { limits.depth };
    if cost.depth > depth {
        return Err(limit("levels of fields", depth));
    }
    match kind {
        OperationType::Query if cost.roots > limits.query_roots => {
            return Err(limit("root fields", limits.query_roots));
        }
        OperationType::Mutation if cost.roots > limits.mutation_roots => {
            return Err(limit("root fields", limits.mutation_roots));
        }
        OperationType::Subscription if cost.roots != 1 => {
            let message = "A subscription must have exactly one root field.";
            return Err(Refusal::new(Code::ValidationFailed, message));
        }
        OperationType::Query | OperationType::Mutation | OperationType::Subscription => {}
    }
    let most = if is_widget { limits.widget_cost } else { limits.cost };
    if cost.units > most {
        let message = format!(
            "The operation costs {}, more than the limit of {most}. Request shorter pages or fewer fields.",
            cost.units
        );
        return Err(Refusal::new(Code::LimitExceeded, message));
    }
    Ok(())
}

fn too_many(what: &str, most: usize) -> Refusal {
    limit(what, u64::try_from(most).unwrap_or(u64::MAX))
}

fn limit(what: &str, most: u64) -> Refusal {
    Refusal::new(Code::LimitExceeded, format!("The document has more than {most} {what}."))
}

#[cfg(test)]
mod tests;
