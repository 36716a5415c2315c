//! The schema's descriptions: everything has one, and each keeps the rules of plain English that a test can check.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition};
use std::collections::BTreeSet;

/// A description starts with a noun phrase, or with the verb of a mutation.
const OPENINGS: &[&str] = &[
    "Also", "And", "As", "At", "Because", "But", "By", "For", "From", "His", "How", "If", "In", "Is", "It",
    "Its", "Not", "Of", "On", "Or", "Since", "So", "Such", "That", "Their", "There", "They", "This", "Those",
    "To", "Until", "What", "Whatever", "When", "Where", "Whether", "Which", "Who", "Whoever", "Whom",
    "Whose", "Why", "With",
];

/// Abbreviations and words that read as if translated.
const WORDS: &[&str] = &[
    "e.g.",
    "i.e.",
    "etc",
    "whereby",
    "thereby",
    "thereof",
    "herein",
    "whatsoever",
    "whoever",
    "whatever",
    "whilst",
    "amongst",
    "any more",
    "for ever",
    "so many",
    "by itself",
    "the thing",
    "somebody else's",
    "is told",
    "are told",
    "hereby",
    "please",
    "simply",
    "just",
];

/// Beginnings of words in British spelling.
const BRITISH: &[&str] = &[
    "analys",
    "artefact",
    "authoris",
    "behaviour",
    "cancell",
    "catalogue",
    "centre",
    "characteris",
    "colour",
    "customis",
    "defence",
    "dialogue",
    "favour",
    "finalis",
    "fulfil ",
    "grey",
    "honour",
    "initialis",
    "judgement",
    "labell",
    "licence",
    "minimis",
    "modell",
    "neighbour",
    "normalis",
    "optimis",
    "organis",
    "practis",
    "prioritis",
    "recognis",
    "serialis",
    "signall",
    "summaris",
    "synchronis",
    "towards",
    "travell",
    "utilis",
    "visualis",
];

/// The longest sentence, in words.
const LONGEST_SENTENCE: usize = 32;

/// Lists of statuses, which are read entry by entry.
const LISTS: &[&str] = &["CreateUploadPayload.uploadUrl"];

/// Rules that a description breaks.
fn broken_rules(owner: &str, description: &str) -> Vec<String> {
    let text = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = text.split(' ').collect();
    let mut broken = Vec::new();
    if words.len() < 4 {
        broken.push("has fewer than four words".to_owned());
    }
    if let Some(opening) = words.first().filter(|word| OPENINGS.contains(word)) {
        broken.push(format!("opens with {opening}"));
    }
    if !text.starts_with(|first: char| first.is_uppercase()) {
        broken.push("does not begin with a capital letter".to_owned());
    }
    if !text.ends_with('.') || text.ends_with("..") {
        broken.push("does not end with a period".to_owned());
    }
    if description.trim() != description || description.lines().any(|line| line.contains("  ")) {
        broken.push("has needless spaces".to_owned());
    }
    if text.contains(['!', '“', '”', '’']) {
        broken.push("has an exclamation mark or curly quotes".to_owned());
    }
    if text.matches('`').count() % 2 == 1 {
        broken.push("has a backtick without its pair".to_owned());
    }
    if repeats_name(owner, &words) {
        broken.push("only repeats the name".to_owned());
    }
    let is_repeated = |(word, next): &(&&str, &&str)| word == next;
    if let Some((word, _)) = words.iter().zip(words.iter().skip(1)).find(is_repeated) {
        broken.push(format!("says {word} twice"));
    }
    let prose = outside_code(&text).to_lowercase();
    broken.extend(WORDS.iter().filter(|word| has_word(&prose, word)).map(|word| format!("says {word}")));
    broken.extend(
        BRITISH
            .iter()
            .filter(|word| has_beginning(&prose, word))
            .map(|word| format!("spells {word}… as in Britain")),
    );
    if !LISTS.contains(&owner) {
        let longest = sentences(&text).map(|sentence| sentence.split(' ').count()).max().unwrap_or_default();
        if longest > LONGEST_SENTENCE {
            broken.push(format!("has a sentence of {longest} words"));
        }
    }
    broken
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(". ").flat_map(|part| part.split_inclusive(": ")).map(str::trim)
}

/// The text without its code and its enum values, where another spelling can be right.
fn outside_code(text: &str) -> String {
    let prose = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    prose
        .split(' ')
        .filter(|word| !word.starts_with(char::is_uppercase) || word.contains(char::is_lowercase))
        .collect::<Vec<_>>()
        .join(" ")
}

fn has_word(prose: &str, word: &str) -> bool {
    let is_part = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    prose.match_indices(word).any(|(at, found)| {
        !is_part(prose[..at].chars().next_back()) && !is_part(prose[at + found.len()..].chars().next())
    })
}

fn has_beginning(prose: &str, beginning: &str) -> bool {
    prose
        .match_indices(beginning)
        .any(|(at, _)| !prose[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// Whether a description has no word beyond the name that it describes, such as "The display name." of `displayName`.
fn repeats_name(owner: &str, words: &[&str]) -> bool {
    let name = owner.rsplit(['.', '(']).next().unwrap_or(owner).trim_end_matches(')');
    let mut parts = BTreeSet::from(["the".to_owned(), "a".to_owned(), "an".to_owned(), "its".to_owned()]);
    let mut part = String::new();
    for letter in name.chars() {
        if (letter.is_uppercase() && part.ends_with(char::is_lowercase)) || letter == '_' {
            parts.insert(std::mem::take(&mut part).to_lowercase());
        }
        part.extend((letter != '_').then_some(letter));
    }
    parts.insert(part.to_lowercase());
    words.iter().all(|word| parts.contains(&word.trim_matches(['.', ',', '`']).to_lowercase()))
}

/// Every described part of the schema with its description: types, fields, arguments, input fields and enum values.
fn descriptions(sdl: &str) -> Vec<(String, Option<String>)> {
    let document = parse_schema(sdl).expect("the schema parses");
    let mut all = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let definition = definition.node;
        let name = definition.name.node.to_string();
        all.push((name.clone(), definition.description.map(|text| text.node)));
        match definition.kind {
            TypeKind::Object(object) => {
                object.fields.into_iter().for_each(|field| add(&mut all, &name, field.node));
            }
            TypeKind::Interface(interface) => {
                interface.fields.into_iter().for_each(|field| add(&mut all, &name, field.node));
            }
            TypeKind::InputObject(input) => {
                all.extend(input.fields.into_iter().map(|value| described(&name, value)));
            }
            TypeKind::Enum(values) => all.extend(values.values.into_iter().map(|value| {
                let value = value.node;
                (format!("{name}.{}", value.value.node), value.description.map(|text| text.node))
            })),
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    all
}

fn add(all: &mut Vec<(String, Option<String>)>, owner: &str, field: FieldDefinition) {
    let name = format!("{owner}.{}", field.name.node);
    all.extend(field.arguments.into_iter().map(|argument| described(&name, argument)));
    all.push((name, field.description.map(|text| text.node)));
}

fn described(owner: &str, value: Positioned<InputValueDefinition>) -> (String, Option<String>) {
    let value = value.node;
    (format!("{owner}.{}", value.name.node), value.description.map(|text| text.node))
}

#[test]
fn everything_has_a_description_in_plain_english() {
    let mut broken = Vec::new();
    for (owner, description) in descriptions(&anteroom::graphql::sdl()) {
        match description {
            None => broken.push(format!("{owner} has no description")),
            Some(text) => broken.extend(
                broken_rules(&owner, &text).into_iter().map(|rule| format!("{owner} {rule}: {text}")),
            ),
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn each_rule_of_plain_english_is_checked() {
    for (owner, text, rule) in [
        ("Chat.isPrivate", "Whether only its participants and admins see it.", "opens with Whether"),
        ("Page.first", "So many from the start: 0 to 100.", "opens with So"),
        ("Payload.chat", "What sendMessage did to the chat.", "opens with What"),
        ("ChatFilter.roomIds", "In one of these rooms: up to 100.", "opens with In"),
        ("Participation.createdAt", "Since when.", "fewer than four words"),
        ("AttributeInput.value", "The value.", "only repeats the name"),
        ("Chat.id", "the id of the chat.", "capital letter"),
        ("PageInfo", "Information about pagination in a connection", "end with a period"),
        ("Chat.id", "The id  of the chat.", "needless spaces"),
        ("Chat.id", "The id of the chat! Use it.", "exclamation mark"),
        ("Chat.id", "The id of the `Chat.", "backtick"),
        ("Chat.id", "The id of the the chat.", "says the twice"),
        ("Chat.id", "The id of a chat, e.g. for a link.", "says e.g."),
        ("Chat.id", "The id of a chat that is not there any more.", "says any more"),
        ("Room.origins", "The list of authorised origins.", "spells authoris"),
        ("Room.origins", "The behaviour of the room.", "spells behaviour"),
        ("Chat.id", &format!("The id{}.", " and so on".repeat(12)), "a sentence of"),
    ] {
        let broken = broken_rules(owner, text);
        assert!(broken.iter().any(|found| found.contains(rule)), "{owner}: {text}: {broken:?}");
    }
    let fine = "The ids of rooms to follow, up to 100. Null unless the viewer is staff: see `behaviour`.";
    assert_eq!(broken_rules("Subscription.viewerEvents.roomIds", fine), [""; 0]);
}
