//! The public schema: `schema.graphql` matches the code, and every part follows the conventions.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, ServiceDocument, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn document() -> ServiceDocument {
    parse_schema(anteroom::graphql::sdl()).expect("the schema parses")
}

fn types(document: &ServiceDocument) -> impl Iterator<Item = &TypeDefinition> {
    document.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(&definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    })
}

fn named<'a>(document: &'a ServiceDocument, name: &str) -> &'a TypeDefinition {
    types(document)
        .find(|definition| definition.name.node == name)
        .unwrap_or_else(|| panic!("there is no {name}"))
}

fn fields(definition: &TypeDefinition) -> Vec<&FieldDefinition> {
    match &definition.kind {
        TypeKind::Object(object) => object.fields.iter().map(|field| &field.node).collect(),
        TypeKind::Interface(interface) => interface.fields.iter().map(|field| &field.node).collect(),
        TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => Vec::new(),
    }
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn is_screaming(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn schema_file_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let committed = std::fs::read_to_string(path).expect("schema.graphql");
    assert!(
        committed == anteroom::graphql::sdl(),
        "schema.graphql is out of date: cargo run -- schema > schema.graphql"
    );
}

#[test]
fn everything_has_a_conventional_name() {
    let document = document();
    let mut broken = Vec::new();
    let mut check = |what: String, is_named: bool| {
        if !is_named {
            broken.push(format!("{what} is not named as its kind is"));
        }
    };
    for definition in types(&document) {
        let name = definition.name.node.as_str();
        check(name.to_owned(), is_pascal(name));
        let mut inputs = |owner: &str, values: &[async_graphql::Positioned<InputValueDefinition>]| {
            for value in values {
                let name = &value.node.name.node;
                check(format!("{owner}.{name}"), is_camel(name));
            }
        };
        for field in fields(definition) {
            inputs(&format!("{name}.{}", field.name.node), &field.arguments);
        }
        if let TypeKind::InputObject(input) = &definition.kind {
            inputs(name, &input.fields);
        }
        for field in fields(definition) {
            check(format!("{name}.{}", field.name.node), is_camel(&field.name.node));
        }
        if let TypeKind::Enum(values) = &definition.kind {
            for value in &values.values {
                let value = &value.node.value.node;
                check(format!("{name}.{value}"), is_screaming(value));
            }
        }
    }
    report(&broken);
}

#[test]
fn every_connection_is_a_whole_relay_connection() {
    let document = document();
    let mut broken = Vec::new();
    for definition in types(&document).filter(|definition| definition.name.node.ends_with("Connection")) {
        let name = definition.name.node.as_str();
        let edge = name.trim_end_matches("Connection");
        // A hit of a search is an edge of its own to what was found.
        let node = edge.trim_end_matches("Search");
        let expected = [
            ("edges", format!("[{edge}Edge!]!")),
            ("nodes", format!("[{node}!]!")),
            ("pageInfo", "PageInfo!".to_owned()),
            ("totalCount", "Int!".to_owned()),
        ];
        for (field, expected) in expected {
            let found = fields(definition).into_iter().find(|found| found.name.node == field);
            if found.is_none_or(|found| found.ty.node.to_string() != expected) {
                broken.push(format!("{name}.{field} is not {expected}"));
            }
        }
    }
    for definition in types(&document) {
        for field in fields(definition).into_iter().filter(|field| is_connection(field)) {
            for argument in ["first", "after", "last", "before"] {
                if !field.arguments.iter().any(|found| found.node.name.node == argument) {
                    broken.push(format!("{}.{} has no {argument}", definition.name.node, field.name.node));
                }
            }
        }
    }
    report(&broken);
}

#[test]
fn lists_of_one_type_have_the_same_arguments_and_are_null_only_where_they_are_reserved() {
    let document = document();
    let mut broken = Vec::new();
    let mut arguments: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for definition in types(&document) {
        for field in fields(definition).into_iter().filter(|field| is_connection(field)) {
            let name = format!("{}.{}", definition.name.node, field.name.node);
            let of = field.ty.node.to_string();
            let own: Vec<_> = field
                .arguments
                .iter()
                .map(|argument| format!("{}: {}", argument.node.name.node, argument.node.ty.node))
                .collect();
            let (other, others) = arguments
                .entry(of.trim_end_matches('!').to_owned())
                .or_insert_with(|| (name.clone(), own.clone()));
            if own != *others {
                broken.push(format!("{name} takes {own:?}, and {other} takes {others:?}"));
            }
            // `reserved.rs` finds that these are null for the others.
            let description = field.description.as_ref().map(|text| text.node.as_str()).unwrap_or_default();
            let is_reserved = ["Null unless the viewer is", "Null for visitors.", "Null for other visitors."]
                .iter()
                .any(|phrase| description.split_whitespace().collect::<Vec<_>>().join(" ").contains(phrase));
            if is_reserved == of.ends_with('!') {
                broken.push(format!("{name} is {of}; {description}"));
            }
        }
    }
    report(&broken);
}

fn is_connection(field: &FieldDefinition) -> bool {
    field.ty.node.to_string().trim_end_matches('!').ends_with("Connection")
}

#[test]
fn every_mutation_takes_one_input_and_answers_its_own_payload() {
    let document = document();
    let mut broken = Vec::new();
    for field in fields(named(&document, "Mutation")) {
        let name = field.name.node.as_str();
        let own = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let arguments: Vec<_> = field
            .arguments
            .iter()
            .map(|argument| format!("{}: {}", argument.node.name.node, argument.node.ty.node))
            .collect();
        if arguments != [format!("input: {own}Input!")]
            || field.ty.node.to_string() != format!("{own}Payload")
        {
            broken.push(format!("{name} is not {name}(input: {own}Input!): {own}Payload"));
            continue;
        }
        let payload = named(&document, &format!("{own}Payload"));
        let errors = fields(payload).into_iter().find(|field| field.name.node == "userErrors");
        if errors.is_none_or(|errors| errors.ty.node.to_string() != "[UserError!]!") {
            broken.push(format!("{own}Payload has no userErrors: [UserError!]!"));
        }
    }
    report(&broken);
}

#[test]
fn types_with_id_implement_node() {
    let document = document();
    let mut broken = Vec::new();
    for definition in types(&document) {
        let TypeKind::Object(object) = &definition.kind else { continue };
        let has_id = object.fields.iter().any(|field| field.node.name.node == "id");
        let is_node = object.implements.iter().any(|interface| interface.node == "Node");
        if has_id != is_node {
            broken.push(format!("{} has an id, or is a Node, but not both", definition.name.node));
        }
    }
    report(&broken);
}

/// The breaking changes from one schema to another, as `docs/versioning.md` defines them.
fn breaking_changes(released: &Path, current: &Path) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/breaking.mjs");
    let output = Command::new("node").arg(script).args([released, current]).output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn released_schema_is_not_broken() {
    let changes = breaking_changes(&file("schema.released.graphql"), &file("schema.graphql"));
    assert!(changes.is_empty(), "breaking changes (see docs/versioning.md):\n{}", changes.join("\n"));
}

#[test]
fn each_kind_of_breaking_change_is_named() {
    let current = std::fs::read_to_string(file("schema.graphql")).expect("the schema");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.graphql");
    for (from, to, expected) in [
        ("  isPrivate: Boolean!\n", "  isSecret: Boolean!\n", "FIELD_REMOVED: Chat.isPrivate"),
        ("  messageCount: Int!", "  messageCount: Int", "FIELD_CHANGED_KIND: Chat.messageCount"),
        ("  throughSequence: Int!", "  throughSequence: String!", "MarkReadInput.throughSequence"),
        (
            "  expiresInSeconds: Int! = 3600",
            "  expiresInSeconds: Int! = 60",
            "DEFAULT_CHANGED: IssueTokenInput",
        ),
        ("input MarkReadInput {", "input MarkReadInput {\n  more: Int!", "REQUIRED_INPUT_FIELD_ADDED"),
        (" | TypingChangedEvent", "", "TYPE_REMOVED_FROM_UNION"),
        ("type Chat implements Node {", "type Chat {", "IMPLEMENTED_INTERFACE_REMOVED"),
    ] {
        assert!(current.contains(from), "{from}");
        std::fs::write(&path, current.replace(from, to)).expect("written");
        let changes = breaking_changes(&file("schema.graphql"), &path).join("\n");
        assert!(changes.contains(expected), "{from}: {changes}");
    }
    // Additions are not breaking changes.
    std::fs::write(
        &path,
        current.replace("type Chat implements Node {", "type Chat implements Node {\n  more: Int\n"),
    )
    .expect("written");
    assert_eq!(breaking_changes(&file("schema.graphql"), &path), [""; 0]);
}
