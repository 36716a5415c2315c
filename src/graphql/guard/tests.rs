//! Tests of the cost of documents, and of documents that are refused.
#![allow(clippy::format_collect, reason = "a test writes documents as plainly as it can")]

use super::*;
use serde_json::json;

fn checked(text: &str, variables: Value) -> Result<Checked, Refusal> {
    let Value::Object(mut variables) = variables else { panic!("variables are an object") };
    check(text, None, &mut variables, false, &DocumentLimits::default())
}

fn cost(text: &str, variables: Value) -> u64 {
    match checked(text, variables) {
        Ok(checked) => checked.cost.units,
        Err(refusal) => panic!("{text}: {}", refusal.message),
    }
}

#[track_caller]
fn assert_refused(text: &str, code: Code) -> Refusal {
    let refusal = checked(text, json!({})).expect_err(text);
    assert_eq!(refusal.code, code, "{text}: {}", refusal.message);
    refusal
}

/// A query with this number of different fields.
fn fields(count: usize) -> String {
    format!("{{{}}}", "viewer{id} ".repeat(count))
}

#[test]
fn each_measure_is_allowed_up_to_its_limit_and_no_further() {
    type Make = fn(usize) -> String;
    let limits = DocumentLimits::default();
    let cases: [(&str, usize, Make); 9] = [
        ("bytes", limits.bytes, |n| format!("{{viewer{{id}}}}{}", " ".repeat(n - 12))),
        ("tokens", limits.tokens, |n| {
            format!("{{viewer{{{}id}}}}", "...{id}".to_owned() + &"id ".repeat(n - 10))
        }),
        ("nested brackets", limits.nesting, |n| {
            format!("{{viewer{}{{id}}{}}}", "{...".repeat(n - 2), "}".repeat(n - 2))
        }),
        ("aliases", limits.aliases, |n| format!("{{viewer{{{}}}}}", "a:id ".repeat(n))),
        ("directives", limits.directives, |n| format!("{{viewer{{id {}}}}}", "@skip(if:true) ".repeat(n))),
        ("fragments", limits.fragments, |n| {
            let named = (0..n).map(|at| format!("fragment f{at} on Viewer{{id}}"));
            format!("{{viewer{{id}}}}{}", named.collect::<String>())
        }),
        ("spreads", limits.spreads, |n| format!("{{viewer{{{}}}}}", "...{id} ".repeat(n))),
        ("query roots", 20, fields),
        ("depth", 12, |n| format!("{{viewer{}{{id}}{}}}", "{organization".repeat(n - 2), "}".repeat(n - 2))),
    ];
    for (what, most, make) in cases {
        // The selection limit is raised, because the tokens case needs many fields.
        let limits = DocumentLimits { selections: 10_000, ..limits };
        let at = |count: usize| check(&make(count), None, &mut Map::new(), false, &limits).map(|_| ());
        assert!(at(most).is_ok(), "{what} at the limit: {:?}", at(most));
        assert_eq!(at(most + 1).expect_err(what).code, Code::LimitExceeded, "{what} past the limit");
    }
}

#[test]
fn strings_comments_and_arguments_are_not_counted() {
    let quoted = "{ ".repeat(100);
    let text = format!(
        "{{node(id: \"{quoted}\"){{id}} nodes(ids: [\"\"\"{quoted}\\\"\"\" \" \"\"\"]){{id}}}} # {quoted}"
    );
    assert!(checked(&text, json!({})).is_ok());
}

#[test]
fn fragments_are_counted_as_if_expanded() {
    let bomb = |last: &str| {
        let mut text = String::from("{...f0}");
        text.extend((0..30).map(|level| {
            let next = level + 1;
            format!(" fragment f{level} on Query {{...f{next} ...f{next}}}")
        }));
        text + last
    };
    assert_refused(&bomb(" fragment f30 on Query {viewer{id}}"), Code::LimitExceeded);
    // A missing fragment is reported, and does not disable the check of the other spreads.
    assert_refused(&bomb(""), Code::ValidationFailed);
    assert_refused("{...a} fragment a on Query {viewer{id} ...a}", Code::ValidationFailed);
}

#[test]
fn only_the_named_operation_is_counted_and_kept() {
    let wide = format!("fragment wide on Query {}", fields(20));
    let others: String = (0..50).map(|at| format!(" query q{at} {{...wide ...wide}}")).collect();
    let text = format!("query one {{viewer{{id}}}} {others} {wide}");
    let checked = check(&text, Some("one"), &mut Map::new(), false, &DocumentLimits::default());
    let checked = checked.expect("the other operations do not count");
    assert_eq!((checked.cost.selections, checked.document.operations.iter().count()), (2, 1));
    assert!(checked.document.fragments.is_empty());
    let other = check(&text, Some("q1"), &mut Map::new(), false, &DocumentLimits::default());
    assert_eq!(other.expect_err("40 roots").code, Code::LimitExceeded);
    assert_refused(&text, Code::ValidationFailed);
}

#[test]
fn pages_ids_and_lists_multiply() {
    let page = |length: &str| format!("{{organization{{chats{length}{{nodes{{id token}}}}}}}}");
    let per_chat = cost(&page("(first: 11)"), json!({})) - cost(&page("(first: 10)"), json!({}));
    assert_eq!(per_chat, 2 + 1 + 2);
    let of = |length: u64| cost(&page("(first: 1)"), json!({})) + per_chat * (length - 1);
    assert_eq!(cost(&page(""), json!({})), of(25));
    assert_eq!(cost(&page("(last: 100)"), json!({})), of(100));
    // The field refuses a longer page, so it costs no more.
    assert_eq!(cost(&page("(first: 1000000000)"), json!({})), of(100));
    let by_variable = "query($n: Int = 7) {organization{chats(first: $n){nodes{id token}}}}";
    assert_eq!(cost(by_variable, json!({})), of(7));
    assert_eq!(cost(by_variable, json!({ "n": 3 })), of(3));

    let ids = "query($ids: [ID!]!) {nodes(ids: $ids){... on Chat{messages(last: 10){nodes{id}}}}}";
    let one = cost(ids, json!({ "ids": ["a"] }));
    let hundred = cost(ids, json!({ "ids": vec!["a"; 100] }));
    assert!(hundred > 90 * one, "{hundred} for 100 and {one} for one");
    let literal = "{nodes(ids: [\"a\", \"b\"]){... on Chat{messages(last: 10){nodes{id}}}}}";
    assert_eq!(cost(literal, json!({})), cost(ids, json!({ "ids": ["a", "b"] })));

    let attributes = "{organization{visitors(first: 10){nodes{attributes{name value}}}}}";
    assert!(cost(attributes, json!({})) > 10 * 10 * 2);
}

#[test]
fn a_node_costs_its_dearest_type_and_not_the_sum_of_all_types() {
    let chat = "... on Chat {messages(last: 5){nodes{id}}}";
    let visitor = "... on Visitor {displayName}";
    let of = |parts: &str| cost(&format!("{{node(id: \"a\"){{id {parts}}}}}"), json!({}));
    assert_eq!(of(&format!("{chat} {visitor}")), of(chat));
    assert!(of(&format!("{chat} ... on Chat {{messages(first: 5){{nodes{{text}}}}}}")) > of(chat));
}

#[test]
fn dear_documents_are_refused_with_their_cost() {
    let many = json!({ "ids": vec!["a"; 100] });
    for document in [
        "query($ids: [ID!]!) {nodes(ids: $ids){... on Chat{messages(last: 100){nodes{id}}}}}",
        "query($ids: [ID!]!) {nodes(ids: $ids){... on Chat{searchMessages(query: \"it\"){nodes{id}}}}}",
        "query($ids: [ID!]!) {nodes(ids: $ids){... on Chat{messages(last: 20){nodes{sender{... on Visitor{attributes{name value}}}}}}}}",
    ] {
        let refusal = checked(document, many.clone()).expect_err(document);
        assert_eq!(refusal.code, Code::LimitExceeded);
        assert!(
            refusal.message.contains("50000") && refusal.message.contains("costs"),
            "{}",
            refusal.message
        );
    }
    let unread = (0..30).map(|at| format!("a{at}: unreadCount ")).collect::<String>();
    let unread = format!("{{viewer{{...a ...a ...a ...a ...a ...a ...a}}}} fragment a on Viewer{{{unread}}}");
    assert_refused(&unread, Code::LimitExceeded);
}

/// Checks of a document that are measured together: the kernel counts in ticks.
const CHECKS: u32 = 10;

/// The CPU time of this thread so far: on a busy machine, others take their share of the time that passes.
fn cpu() -> std::time::Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").expect("its times");
    let nanoseconds = counted.split_whitespace().next().expect("a time");
    std::time::Duration::from_nanos(nanoseconds.parse().expect("a number"))
}

/// The CPU time that it takes to refuse a document.
fn refusal_of(text: &str, name: Option<&str>, is_widget: bool) -> std::time::Duration {
    let limits = DocumentLimits::default();
    let started = cpu();
    for _ in 0..CHECKS {
        assert!(check(text, name, &mut Map::new(), is_widget, &limits).is_err(), "{text} is accepted");
    }
    cpu().saturating_sub(started) / CHECKS
}

#[test]
fn refusals_of_any_document_take_at_most_five_milliseconds() {
    warm_up();
    let wide = format!("fragment wide on Query{{{}}}", "organization{rooms{nodes{id name}}} ".repeat(150));
    let many: String = (0..190).map(|at| format!("query q{at}{{...wide}} ")).collect();
    let introspection =
        format!("{{__schema{{types{}{{name}}{}}}}}", "{fields{type".repeat(11), "}}".repeat(11));
    let spreads = format!("{{{}}} {wide}", "...wide ".repeat(150));
    let nested: String =
        (0..59).map(|at| format!("fragment f{at} on Query{{...f{} ...f{}}} ", at + 1, at + 1)).collect();
    let nested = format!("{{...f0}} {nested} fragment f59 on Query{{nothing}}");
    for (text, name) in [
        (format!("{many} {wide}"), Some("q7")),
        (introspection, None),
        (spreads, None),
        (nested, None),
        (fields(900), None),
        ("{".repeat(65_536), None),
        ("# ".repeat(32_768), None),
        (format!("{{viewer{{id(a: {})}}}}", "[".repeat(65_000)), None),
        (format!("{{viewer(a: \"{}\"){{id}} nothing @x}}", "x".repeat(65_000)), None),
    ] {
        for is_widget in [false, true] {
            // A build without optimization takes about 20 times as long, and the machine may be slow.
            let most = std::time::Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 5 });
            let took = refusal_of(&text, name, is_widget);
            assert!(took <= most, "{took:?}: {}", text.chars().take(100).collect::<String>());
        }
    }
}

#[test]
fn ordinary_documents_pass_with_a_wide_margin() {
    let message = "cursor node{id type text createdAt sequence isInternal editedAt deletedAt
        sender{id displayName} attachments{id name} reactions{emoji count viewerHasReacted} viewerActions}";
    for document in [
        format!("query($id: ID!) {{chat(id: $id){{id title messages(last: 100){{edges{{{message}}} pageInfo{{hasPreviousPage startCursor}}}}}}}}"),
        "{viewer{inbox(first: 25){edges{node{id title lastMessage{text senderName} messages(last: 25){nodes{id text sender{displayName}}}}}}}}".into(),
        "{organization{rooms(first: 100){nodes{id name isStaffed waitingChatCount}}}}".into(),
    ] {
        let cost = cost(&document, json!({ "id": "a" }));
        assert!(cost <= 25_000, "{document} costs {cost}");
    }
}

#[test]
fn a_widget_key_only_signs_in() {
    let as_widget = |text: &str| {
        check(text, None, &mut Map::new(), true, &DocumentLimits::default()).map(|checked| checked.roots)
    };
    let sign_in = "signInVisitor(input: {}) {token viewer{id role}}";
    for allowed in [
        format!("mutation {{{sign_in}}}"),
        format!("mutation {{__typename ...{{...a}}}} fragment a on Mutation {{{sign_in}}}"),
    ] {
        assert!(as_widget(&allowed).is_ok(), "{allowed}");
    }
    for forbidden in [
        "{viewer{role}}".to_owned(),
        "{__schema{types{name}}}".into(),
        "subscription {viewerEvents{cursor}}".into(),
        "{nothing}".into(),
        format!("mutation {{{sign_in} signOut(input: {{}}) {{userErrors{{code}}}}}}"),
        format!("mutation {{...a}} fragment a on Mutation {{{sign_in} ...{{renewToken}}}}"),
    ] {
        assert_eq!(as_widget(&forbidden).expect_err(&forbidden).code, Code::Forbidden, "{forbidden}");
    }
}

#[test]
fn introspection_has_its_own_depth_and_cost() {
    let nested = |levels: usize| {
        format!("{{__schema{{types{}{{name}}{}}}}}", "{fields{type".repeat(levels), "}}".repeat(levels))
    };
    assert!(checked("{__schema{types{fields{type{fields{name}}}}}}", json!({})).is_ok());
    assert_refused(&nested(4), Code::LimitExceeded);
    assert_refused(&nested(6), Code::LimitExceeded);
    let chain = format!("{{__type(name: \"Chat\"){}{{kind}}{}}}", "{ofType".repeat(20), "}".repeat(20));
    assert!(checked(&chain, json!({})).is_ok(), "ofType does not branch");
}

#[test]
fn directives_and_variables_are_checked_everywhere() {
    for invalid in [
        "{__typename @nothing viewer{id}}",
        "{viewer{id __typename @nothing(with: 1)}}",
        "{__typename(a: 1) viewer{id}}",
        "{__typename{a} viewer{id}}",
        "{__typename @skip viewer{id}}",
        "{__typename @include(if: \"yes\") viewer{id}}",
        "query($a: String) {viewer{id @include(if: $a)}}",
        "query($a: ID!) {node(id: $b){id}}",
        "query($a: Boolean!) {viewer{id}}",
        "{viewer{...a}} fragment a on Viewer {id @skip(if: $a)}",
    ] {
        let Err(refusal) = checked(invalid, json!({ "a": true, "b": "b" })) else {
            panic!("{invalid} is accepted")
        };
        assert_eq!(refusal.code, Code::ValidationFailed, "{invalid}");
        assert!(refusal.location.is_some(), "{invalid}");
    }
}

#[test]
fn a_variable_that_is_not_given_leaves_its_argument_out() {
    let text = "query($a: Boolean, $b: Boolean!, $c: Boolean! = true) {viewer{inbox(includeHidden: $a){
        totalCount @include(if: $b) eventCursor @skip(if: $c)}}}";
    let mut variables = Map::from_iter([("b".to_owned(), json!(true))]);
    let checked = check(text, None, &mut variables, false, &DocumentLimits::default()).expect("valid");
    assert_eq!(variables["c"], json!(true), "a default is filled in");
    let (_, operation) = checked.document.operations.iter().next().expect("one");
    let names = operation.node.variable_definitions.iter();
    let names: Vec<_> = names.map(|definition| definition.node.name.node.as_str()).collect();
    assert_eq!(names, ["b", "c"]);
    let required = "query($b: Boolean!) {viewer{id @skip(if: $b)}}";
    assert_refused(required, Code::BadUserInput);
}
