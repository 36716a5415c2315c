//! What a document may cost, decided in linear time before the library's parser and validator see it: they
//! walk every expansion of a fragment, so a small document could keep them busy for very long.
//!
//! First the text is read once, token by token; then, once it is parsed, the selections are counted as if
//! every fragment were written out, each fragment looked at once.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use std::collections::HashMap;

/// The largest document of each measure.
#[derive(Clone, Copy, Debug)]
pub struct DocumentLimits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Tokens of the text.
    pub tokens: usize,
    /// Brackets of any kind within each other.
    pub nesting: usize,
    /// Aliased fields.
    pub aliases: usize,
    /// Directives.
    pub directives: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Fragment spreads and inline fragments.
    pub spreads: usize,
    /// Fields when all fragments are written out.
    pub selections: u64,
    /// Fields within each other.
    pub depth: u64,
    /// The same for documents that ask only about the schema.
    pub introspection_depth: u64,
    /// Root fields of a query.
    pub query_roots: u64,
    /// Root fields of a mutation.
    pub mutation_roots: u64,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024,
            tokens: 4_000,
            nesting: 32,
            aliases: 30,
            directives: 50,
            fragments: 60,
            spreads: 200,
            selections: 2_000,
            depth: 12,
            introspection_depth: 24,
            query_roots: 20,
            mutation_roots: 5,
        }
    }
}

/// A document that costs too much, or cannot be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// More of something than allowed: what, and how much is.
    Limit(&'static str, u64),
    /// A fragment that contains itself.
    FragmentCycle,
    /// A subscription with more or fewer than one root field.
    SubscriptionRoots,
}

impl std::fmt::Display for TooMuch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Limit(what, limit) => write!(formatter, "The document has more than {limit} {what}."),
            Self::FragmentCycle => formatter.write_str("A fragment contains itself."),
            Self::SubscriptionRoots => formatter.write_str("A subscription has exactly one root field."),
        }
    }
}

/// Reads the text once.
pub fn check_text(text: &str, limits: &DocumentLimits) -> Result<(), TooMuch> {
    if text.len() > limits.bytes {
        return Err(too_many("bytes", limits.bytes));
    }
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0 };
    let (mut tokens, mut aliases, mut directives, mut fragments, mut spreads) = (0, 0, 0, 0, 0);
    let (mut open, mut parentheses) = (0_usize, 0_usize);
    let mut previous = Token::Other;
    while let Some(token) = lexer.next() {
        tokens += 1;
        match token {
            Token::Open | Token::Parenthesis => {
                open += 1;
                parentheses += usize::from(token == Token::Parenthesis || parentheses > 0);
            }
            Token::Close => {
                open = open.saturating_sub(1);
                parentheses = parentheses.saturating_sub(1);
            }
            Token::Colon => aliases += usize::from(previous == Token::Name && parentheses == 0 && open > 0),
            Token::At => directives += 1,
            Token::Spread => spreads += 1,
            Token::Fragment => fragments += usize::from(open == 0),
            Token::Name | Token::Other => {}
        }
        let measures = [
            ("tokens", tokens, limits.tokens),
            ("nested brackets", open, limits.nesting),
            ("aliases", aliases, limits.aliases),
            ("directives", directives, limits.directives),
            ("fragments", fragments, limits.fragments),
            ("fragment spreads", spreads, limits.spreads),
        ];
        if let Some((what, _, limit)) = measures.into_iter().find(|(_, count, limit)| count > limit) {
            return Err(too_many(what, limit));
        }
        previous = if token == Token::Fragment { Token::Name } else { token };
    }
    Ok(())
}

fn too_many(what: &'static str, limit: usize) -> TooMuch {
    TooMuch::Limit(what, u64::try_from(limit).unwrap_or(u64::MAX))
}

/// Counts what the operations of a parsed document select.
pub fn check_document(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<(), TooMuch> {
    match &document.operations {
        DocumentOperations::Single(operation) => check_operation(document, &operation.node, limits),
        DocumentOperations::Multiple(operations) => {
            operations.values().try_for_each(|operation| check_operation(document, &operation.node, limits))
        }
    }
}

fn check_operation(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    limits: &DocumentLimits,
) -> Result<(), TooMuch> {
    let mut counter = Counter { document, fragments: HashMap::new() };
    let sum = counter.count(&operation.selection_set.node)?;
    if sum.fields > limits.selections {
        return Err(TooMuch::Limit("fields, with fragments written out,", limits.selections));
    }
    let depth = if sum.is_introspection { limits.introspection_depth } else { limits.depth };
    if sum.depth > depth {
        return Err(TooMuch::Limit("levels", depth));
    }
    match operation.ty {
        OperationType::Query if sum.roots > limits.query_roots => {
            Err(TooMuch::Limit("root fields", limits.query_roots))
        }
        OperationType::Mutation if sum.roots > limits.mutation_roots => {
            Err(TooMuch::Limit("root fields", limits.mutation_roots))
        }
        OperationType::Subscription if sum.roots != 1 => Err(TooMuch::SubscriptionRoots),
        OperationType::Query | OperationType::Mutation | OperationType::Subscription => Ok(()),
    }
}

/// What a selection set comes to when its fragments are written out.
#[derive(Clone, Copy)]
struct Counted {
    fields: u64,
    depth: u64,
    /// Fields of the set itself.
    roots: u64,
    /// Whether the set has fields that begin with two underscores and no others.
    is_introspection: bool,
}

struct Counter<'a> {
    document: &'a ExecutableDocument,
    /// What each fragment comes to; nothing while it is being counted, so that a cycle is seen.
    fragments: HashMap<&'a str, Option<Counted>>,
}

impl<'a> Counter<'a> {
    fn count(&mut self, set: &'a SelectionSet) -> Result<Counted, TooMuch> {
        let mut all = Counted { fields: 0, depth: 0, roots: 0, is_introspection: true };
        for item in &set.items {
            let one = match &item.node {
                Selection::Field(field) => {
                    let below = self.count(&field.node.selection_set.node)?;
                    Counted {
                        fields: below.fields.saturating_add(1),
                        depth: below.depth.saturating_add(1),
                        roots: 1,
                        is_introspection: field.node.name.node.starts_with("__"),
                    }
                }
                Selection::InlineFragment(fragment) => self.count(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.count_fragment(&spread.node.fragment_name.node)?,
            };
            all.fields = all.fields.saturating_add(one.fields);
            all.depth = all.depth.max(one.depth);
            all.roots = all.roots.saturating_add(one.roots);
            all.is_introspection &= one.is_introspection;
        }
        Ok(all)
    }

    fn count_fragment(&mut self, name: &'a str) -> Result<Counted, TooMuch> {
        match self.fragments.get(name) {
            Some(Some(counted)) => return Ok(*counted),
            Some(None) => return Err(TooMuch::FragmentCycle),
            None => {}
        }
        // A fragment that is not there costs nothing; validation says so.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Counted { fields: 0, depth: 0, roots: 0, is_introspection: true });
        };
        self.fragments.insert(name, None);
        let counted = self.count(&fragment.node.selection_set.node)?;
        self.fragments.insert(name, Some(counted));
        Ok(counted)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Open,
    Parenthesis,
    Close,
    Colon,
    At,
    Spread,
    Fragment,
    Name,
    Other,
}

/// Finds tokens well enough to count them; whether they make a document is the parser's business.
struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<Token> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => self.at += 1,
                b'#' => self.skip_while(|byte| byte != b'\n' && byte != b'\r'),
                b'"' => {
                    self.skip_string();
                    return Some(Token::Other);
                }
                b'.' if self.bytes[self.at..].starts_with(b"...") => {
                    self.at += 3;
                    return Some(Token::Spread);
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    let from = self.at;
                    self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    let is_fragment = &self.bytes[from..self.at] == b"fragment";
                    return Some(if is_fragment { Token::Fragment } else { Token::Name });
                }
                b'0'..=b'9' | b'-' => {
                    self.at += 1;
                    self.skip_while(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')
                    });
                    return Some(Token::Other);
                }
                _ => {
                    self.at += 1;
                    return Some(match byte {
                        b'{' | b'[' => Token::Open,
                        b'(' => Token::Parenthesis,
                        b'}' | b']' | b')' => Token::Close,
                        b':' => Token::Colon,
                        b'@' => Token::At,
                        _ => Token::Other,
                    });
                }
            }
        }
    }

    fn skip_while(&mut self, go_on: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|byte| go_on(*byte)) {
            self.at += 1;
        }
    }

    /// A string ends at its quote or, unless it is a block string, at the end of the line.
    fn skip_string(&mut self) {
        let is_block = self.bytes[self.at..].starts_with(b"\"\"\"");
        self.at += if is_block { 3 } else { 1 };
        while let Some(byte) = self.bytes.get(self.at) {
            let rest = &self.bytes[self.at..];
            match byte {
                b'\\' if is_block && rest.starts_with(b"\\\"\"\"") => self.at += 4,
                b'\\' if !is_block => self.at += 2,
                b'"' if is_block && rest.starts_with(b"\"\"\"") => {
                    self.at += 3;
                    return;
                }
                b'"' | b'\n' | b'\r' if !is_block => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn text(text: &str) -> Result<(), TooMuch> {
        check_text(text, &DocumentLimits::default())
    }

    fn document(text: &str) -> Result<(), TooMuch> {
        check_document(&parse_query(text).expect("a document"), &DocumentLimits::default())
    }

    #[test]
    fn each_measure_of_the_text_is_allowed_up_to_its_limit_and_no_further() {
        type Make = fn(usize) -> String;
        let limits = DocumentLimits::default();
        let cases: [(&str, usize, Make); 7] = [
            ("bytes", limits.bytes, |n| " ".repeat(n)),
            ("tokens", limits.tokens, |n| format!("{{{}}}", "a ".repeat(n - 2))),
            ("nested brackets", limits.nesting, |n| format!("{}{}", "{a".repeat(n), "}".repeat(n))),
            ("aliases", limits.aliases, |n| format!("{{{}}}", "a:b ".repeat(n))),
            ("directives", limits.directives, |n| format!("{{a {}}}", "@b ".repeat(n))),
            ("fragments", limits.fragments, |n| "fragment a on B{c} ".repeat(n)),
            ("fragment spreads", limits.spreads, |n| format!("{{{}}}", "...a ".repeat(n))),
        ];
        for (what, limit, make) in cases {
            assert_eq!(text(&make(limit)), Ok(()), "{what} at the limit");
            assert_eq!(text(&make(limit + 1)), Err(too_many(what, limit)), "{what} past the limit");
        }
    }

    #[test]
    fn what_stands_in_strings_comments_and_arguments_is_not_counted() {
        let quoted = "@ ".repeat(100);
        assert_eq!(
            text(&format!("{{a(b: \"{quoted}\", c: \"\"\"{quoted}\\\"\"\" \" \"\"\")}} # {quoted}")),
            Ok(())
        );
        assert_eq!(text(&format!("{{a({})}}", "b: {c: 1} ".repeat(100))), Ok(()));
    }

    #[test]
    fn fragments_are_counted_as_if_written_out() {
        let mut bomb = String::from("{...f0}");
        bomb.extend((0..20).map(|level| {
            let next = level + 1;
            format!(" fragment f{level} on A {{...f{next} ...f{next}}}")
        }));
        bomb.push_str(" fragment f20 on A {a}");
        assert!(matches!(document(&bomb), Err(TooMuch::Limit(..))));
        assert_eq!(document("{...a} fragment a on A {b {...a}}"), Err(TooMuch::FragmentCycle));
    }

    #[test]
    fn roots_and_depth_have_limits_of_their_own() {
        assert_eq!(document(&format!("{{{}}}", "a ".repeat(20))), Ok(()));
        assert_eq!(document(&format!("{{{}}}", "a ".repeat(21))), Err(TooMuch::Limit("root fields", 20)));
        assert_eq!(document(&format!("mutation {{{}}}", "a ".repeat(5))), Ok(()));
        assert!(document(&format!("mutation {{{}}}", "a ".repeat(6))).is_err());
        assert_eq!(document("subscription {a b}"), Err(TooMuch::SubscriptionRoots));
        let nested = |root: &str, depth: usize| {
            format!("{{{root}{}{}}}", "{a".repeat(depth - 1), "}".repeat(depth - 1))
        };
        assert_eq!(document(&nested("a", 12)), Ok(()));
        assert_eq!(document(&nested("a", 13)), Err(TooMuch::Limit("levels", 12)));
        assert_eq!(document(&nested("__schema", 24)), Ok(()));
        assert_eq!(document(&nested("__schema", 25)), Err(TooMuch::Limit("levels", 24)));
    }
}
