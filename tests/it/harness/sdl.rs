//! Reads the published schema: its fields, arguments, inputs and enums.

use std::collections::BTreeMap;

const SCHEMA: &str = include_str!("../../../schema.graphql");

/// The schema without its descriptions.
fn bare() -> String {
    SCHEMA.split("\"\"\"").step_by(2).collect()
}

/// Every field that returns a connection, as type and field name.
pub fn connections() -> Vec<(String, String)> {
    let schema = bare();
    let types = schema.lines().filter_map(|line| line.strip_prefix("type ")?.split_whitespace().next());
    let of_type = |name: &str| {
        let is_connection = |text: &String| text.trim_end_matches([' ', '!']).ends_with("Connection");
        let found = fields(name).into_iter().filter(|(_, text)| is_connection(text));
        found.map(|(field, _)| (name.to_owned(), field)).collect::<Vec<_>>()
    };
    types.flat_map(of_type).collect()
}

/// The fields of a type or an input: their names, and the rest of their definitions including arguments.
pub fn fields(definition: &str) -> BTreeMap<String, String> {
    let schema = bare();
    let start = ["type ", "input "]
        .iter()
        .find_map(|kind| schema.find(&format!("\n{kind}{definition} ")))
        .unwrap_or_else(|| panic!("no {definition} in the schema"));
    let (mut fields, mut name, mut depth) = (BTreeMap::new(), String::new(), 0_i32);
    for line in schema[start + 1..].lines().skip(1).map(str::trim) {
        if line == "}" {
            break;
        }
        if depth == 0 && !line.is_empty() {
            name = line.split(['(', ':']).next().unwrap_or_default().trim().to_owned();
            fields.insert(name.clone(), String::new());
        }
        for character in line.chars() {
            depth += i32::from(character == '(') - i32::from(character == ')');
        }
        if let Some(field) = fields.get_mut(&name) {
            field.push_str(line);
            field.push(' ');
        }
    }
    fields
}

/// The fields of an input that take ids.
pub fn id_fields(input: &str) -> Vec<String> {
    let is_id = |text: &String| text.contains(": ID") || text.contains(": [ID");
    fields(input).into_iter().filter(|(_, text)| is_id(text)).map(|(name, _)| name).collect()
}

/// The name of the input type of a mutation.
pub fn input_of(mutation: &str) -> String {
    format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..])
}

/// The values of an enum.
fn values(name: &str) -> Vec<String> {
    let schema = bare();
    let start =
        schema.find(&format!("\nenum {name} {{")).unwrap_or_else(|| panic!("no {name} in the schema"));
    let lines = schema[start + 1..].lines().skip(1).map(str::trim);
    lines.take_while(|line| *line != "}").filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The fields that a list can be sorted by.
pub fn orders(definition: &str, list: &str) -> Vec<String> {
    let word_after = |text: &str, start: &str| {
        let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
        rest.split([' ', '!', ',']).next().unwrap_or_default().to_owned()
    };
    let order = word_after(&fields(definition)[list], "orderBy: ");
    values(&word_after(&fields(&order)["field"], "field: "))
}

/// The descriptions of the fields of a type.
pub fn descriptions(definition: &str) -> BTreeMap<String, String> {
    let start = SCHEMA.find(&format!("\ntype {definition} ")).expect("a type of the schema");
    let body = SCHEMA[start + 1..].split("\n}\n").next().unwrap_or_default();
    // Fields are indented by two, their arguments by more.
    let parts: Vec<_> = body.split("\n  \"\"\"\n").skip(1).collect();
    let described = parts.chunks_exact(2).map(|part| {
        let name = part[1].trim_start().split(['(', ':']).next().unwrap_or_default();
        (name.to_owned(), part[0].to_owned())
    });
    described.collect()
}

/// Whether this is a scalar or an enum.
pub fn is_leaf(name: &str) -> bool {
    ["type", "interface", "union"].iter().all(|kind| !SCHEMA.contains(&format!("\n{kind} {name} ")))
}

/// Every type that implements `Node`.
pub fn nodes() -> Vec<String> {
    let types = SCHEMA.lines().filter_map(|line| line.strip_prefix("type ")?.split_once(" implements "));
    types.filter(|(_, rest)| rest.contains("Node")).map(|(name, _)| name.to_owned()).collect()
}
