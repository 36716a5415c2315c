//! Measures an operation: its selections and cost, with fragments expanded and pages multiplied. Each
//! fragment is visited once.

use super::Fragments;
use super::prices::{Count, Field as Price, PRICES, Type};
use crate::domain::limits;
use crate::graphql::door::{Code, Refusal};
use async_graphql::parser::types::{
    Field, FragmentSpread, OperationDefinition, OperationType, Selection, SelectionSet, TypeCondition,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value as Input;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The measures of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Fields in the text, with fragments expanded.
    pub selections: u64,
    /// The depth of nested fields.
    pub depth: u64,
    /// The number of root fields.
    pub roots: u64,
    /// Whether the name of every root field begins with two underscores.
    pub is_introspection: bool,
    /// The estimated cost of one execution, or of one event of a subscription.
    pub units: u64,
}

/// Measures an operation. Variables without a value count as their defaults.
pub(super) fn measure(
    operation: &OperationDefinition,
    fragments: &Fragments,
    variables: &Map<String, Value>,
) -> Result<Cost, Refusal> {
    let root = match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let mut counter = Counter { fragments, variables, known: HashMap::new() };
    let sum = counter.set(&operation.selection_set.node, PRICES.named(root))?;
    Ok(Cost {
        selections: sum.selections,
        depth: sum.depth,
        roots: sum.roots,
        is_introspection: sum.is_introspection,
        units: sum.units,
    })
}

/// The measures of a selection set.
#[derive(Clone, Copy)]
struct Sum {
    selections: u64,
    depth: u64,
    roots: u64,
    is_introspection: bool,
    units: u64,
    /// In a connection: the cost for each node of the page.
    of_each: u64,
}

const NOTHING: Sum = Sum { selections: 0, depth: 0, roots: 0, is_introspection: true, units: 0, of_each: 0 };

impl Sum {
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.depth = self.depth.max(other.depth);
        self.roots = self.roots.saturating_add(other.roots);
        self.is_introspection &= other.is_introspection;
        self.units = self.units.saturating_add(other.units);
        self.of_each = self.of_each.saturating_add(other.of_each);
    }
}

struct Counter<'a> {
    fragments: &'a Fragments,
    variables: &'a Map<String, Value>,
    /// The sum of each fragment. `None` while it is being counted, which reveals cycles.
    known: HashMap<&'a Name, Option<Sum>>,
}

impl<'a> Counter<'a> {
    fn set(&mut self, set: &'a SelectionSet, parent: Option<&'static Type>) -> Result<Sum, Refusal> {
        let mut all = NOTHING;
        // A node of an interface or a union has one type, so only its most expensive type counts.
        let mut by_type: HashMap<&str, Sum> = HashMap::new();
        for item in &set.items {
            let (on, sum) = match &item.node {
                Selection::Field(field) => (None, self.field(&field.node, parent)?),
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(type_name);
                    let of_type = on.map_or(parent, |name| PRICES.named(name));
                    (on, self.set(&fragment.node.selection_set.node, of_type)?)
                }
                Selection::FragmentSpread(spread) => self.fragment(spread)?,
            };
            let is_object = |name: &str| PRICES.named(name).is_some_and(|named| !named.is_abstract);
            match on {
                Some(name) if parent.is_some_and(|parent| parent.is_abstract) && is_object(name) => {
                    by_type.entry(name).or_insert(NOTHING).add(sum);
                }
                _ => all.add(sum),
            }
        }
        let mut dearest = NOTHING;
        for sum in by_type.into_values() {
            let (units, of_each) = (dearest.units.max(sum.units), dearest.of_each.max(sum.of_each));
            dearest.add(sum);
            (dearest.units, dearest.of_each) = (units, of_each);
        }
        all.add(dearest);
        Ok(all)
    }

    /// The sum of a fragment, and the type that it is on.
    fn fragment(
        &mut self,
        spread: &'a Positioned<FragmentSpread>,
    ) -> Result<(Option<&'a str>, Sum), Refusal> {
        let name = &spread.node.fragment_name.node;
        let refused = |message: &str| Refusal {
            location: Some(spread.pos),
            ..Refusal::new(Code::ValidationFailed, message)
        };
        let Some(fragment) = self.fragments.get(name) else {
            return Err(refused("The document does not define this fragment."));
        };
        let on = type_name(&fragment.node.type_condition);
        match self.known.get(name) {
            Some(Some(sum)) => return Ok((Some(on), *sum)),
            Some(None) => return Err(refused("A fragment contains itself.")),
            None => {}
        }
        self.known.insert(name, None);
        let sum = self.set(&fragment.node.selection_set.node, PRICES.named(on))?;
        self.known.insert(name, Some(sum));
        Ok((Some(on), sum))
    }

    fn field(&mut self, field: &'a Field, parent: Option<&'static Type>) -> Result<Sum, Refusal> {
        let name = field.name.node.as_str();
        let price = parent.and_then(|parent| parent.fields.get(name));
        let below = self.set(&field.selection_set.node, price.and_then(Price::composite))?;
        // `ofType` does not branch, and ends after a few levels.
        let is_chained = name == "ofType" && only_of_type(&field.selection_set.node);
        let depth = below.depth.saturating_add(u64::from(!is_chained));
        let mut sum = Sum {
            selections: below.selections.saturating_add(1),
            depth,
            roots: 1,
            is_introspection: name.starts_with("__"),
            units: 0,
            of_each: 0,
        };
        let Some(price) = price else {
            sum.units = below.units.saturating_add(1);
            return Ok(sum);
        };
        let times = |count: u64| below.units.saturating_mul(count);
        sum.units = match price.count {
            Count::One => below.units,
            Count::Items(count) => times(count).saturating_add(count),
            Count::Ids => {
                let count = self.length_of(field, "ids");
                times(count).saturating_add(count)
            }
            Count::Page { row } => {
                let rows = self.page(field);
                below.units.saturating_add(rows.saturating_mul(below.of_each.saturating_add(row)))
            }
            Count::Introspection => below.units.div_ceil(8),
            Count::EachOfPage => {
                sum.of_each = below.units.saturating_add(1);
                0
            }
        };
        sum.units = sum.units.saturating_add(price.weight);
        Ok(sum)
    }

    /// The number of rows of a page. A size that the field will refuse counts as the largest page.
    fn page(&self, field: &Field) -> u64 {
        let most = u64::from(limits::PAGE_MAX);
        let length = |name| {
            let number = match self.argument(field, name)? {
                Given::Literal(Input::Number(number)) | Given::Variable(Value::Number(number)) => {
                    number.as_i64()
                }
                Given::Literal(_) | Given::Variable(_) => None,
            }?;
            Some(u64::try_from(number).unwrap_or(0).min(most))
        };
        length("first").max(length("last")).unwrap_or(u64::from(limits::PAGE_DEFAULT))
    }

    /// The number of items of a list. The field itself refuses a list that is too long.
    fn length_of(&self, field: &Field, name: &str) -> u64 {
        let count = match self.argument(field, name) {
            Some(Given::Literal(Input::List(items))) => items.len(),
            Some(Given::Variable(Value::Array(items))) => items.len(),
            Some(Given::Literal(_) | Given::Variable(_)) | None => 1,
        };
        u64::try_from(count).unwrap_or(u64::MAX).min(u64::from(limits::PAGE_MAX))
    }

    fn argument<'b>(&'b self, field: &'b Field, name: &str) -> Option<Given<'b>> {
        let value = &field.get_argument(name)?.node;
        if let Input::Variable(name) = value {
            return self.variables.get(name.as_str()).map(Given::Variable);
        }
        Some(Given::Literal(value))
    }
}

/// The value of an argument.
enum Given<'a> {
    Literal(&'a Input),
    Variable(&'a Value),
}

fn type_name(condition: &Positioned<TypeCondition>) -> &str {
    condition.node.on.node.as_str()
}

/// Whether a selection set continues with `ofType`.
fn only_of_type(set: &SelectionSet) -> bool {
    set.items.iter().any(|item| match &item.node {
        Selection::Field(field) => field.node.name.node == "ofType",
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
    })
}
