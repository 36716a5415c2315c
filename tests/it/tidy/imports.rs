//! The imports between modules of `src`, read from `use` declarations and paths.

use std::collections::{BTreeMap, BTreeSet};

/// Modules by their path below the crate, such as `store::chats`, with the modules that each imports.
pub struct Imports(BTreeMap<String, BTreeSet<String>>);

impl Imports {
    /// Reads the imports of these sources: pairs of a path below `src` and the text.
    pub fn of<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let sources: Vec<_> = sources.map(|(path, text)| (module_of(path), text)).collect();
        let known: BTreeSet<_> = sources.iter().map(|(module, _)| module.clone()).collect();
        let mut imports = BTreeMap::new();
        for (module, text) in &sources {
            let found: &mut BTreeSet<String> = imports.entry(module.clone()).or_default();
            for path in paths(text) {
                if let Some(other) = resolve(module, &path, &known) {
                    found.insert(other);
                }
            }
        }
        Self(imports)
    }

    /// Each import, as the importing and the imported module.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(from, to)| to.iter().map(move |to| (from.as_str(), to.as_str())))
    }

    /// Groups of modules that import each other in a cycle. A module and those inside it are one house: they are not
    /// counted as a cycle.
    pub fn cycles(&self) -> Vec<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.0.keys().map(|module| (module.as_str(), self.reached_from(module))).collect();
        let mut found: Vec<Vec<&str>> = Vec::new();
        for (module, others) in &reached {
            let cycle: Vec<_> =
                others.iter().copied().filter(|other| reached[*other].contains(module)).collect();
            if cycle.len() > 1 && !found.contains(&cycle) {
                found.push(cycle);
            }
        }
        found
    }

    fn reached_from<'a>(&'a self, module: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![module];
        while let Some(module) = open.pop() {
            for other in &self.0[module] {
                if !is_inside(other, module) && !is_inside(module, other) && reached.insert(other.as_str()) {
                    open.push(other.as_str());
                }
            }
        }
        reached
    }
}

fn is_inside(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"))
}

/// `store/chats/mod.rs` and `store/chats.rs` are `store::chats`.
fn module_of(path: &str) -> String {
    let path = path.trim_end_matches(".rs");
    path.strip_suffix("/mod").unwrap_or(path).replace('/', "::")
}

/// The paths that start with `crate` or `super`, without those of unit tests.
fn paths(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':') {
                continue;
            }
            expand(&code[at..], String::new(), &mut found);
        }
    }
    found
}

/// Adds the paths of a `use` tree, or the one path, at the start of a text; returns the length of what was read.
fn expand(text: &str, before: String, found: &mut Vec<String>) -> usize {
    let length = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'));
    let length = length.unwrap_or(text.len());
    let path = before + &text[..length];
    if !(path.ends_with("::") && text[length..].starts_with('{')) {
        found.push(path);
        return length;
    }
    let mut at = length + 1;
    loop {
        let rest = &text[at..];
        let skipped = rest.find(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '}');
        let Some(skipped) = skipped else { return text.len() };
        at += skipped;
        if text[at..].starts_with('}') {
            return at + 1;
        }
        at += expand(&text[at..], path.clone(), found);
        // A renamed item: `a as b`.
        if let Some(renamed) = text[at..].strip_prefix(" as ") {
            let end = renamed.find([',', '}']).unwrap_or(renamed.len());
            at += " as ".len() + end;
        }
    }
}

/// The module that a path within `module` names, or whose item it names.
fn resolve(module: &str, path: &str, known: &BTreeSet<String>) -> Option<String> {
    let mut place: Vec<_> = module.split("::").collect();
    let mut rest = path.split("::").peekable();
    match rest.next()? {
        "crate" => place.clear(),
        "super" => drop(place.pop()),
        _ => {}
    }
    while rest.next_if_eq(&"super").is_some() {
        place.pop();
    }
    place.extend(rest);
    while !place.is_empty() {
        let name = place.join("::");
        if name != module && known.contains(&name) {
            return Some(name);
        }
        if name == module {
            return None;
        }
        place.pop();
    }
    None
}

#[test]
fn cycle_is_found_through_nested_and_relative_imports() {
    let sources = [
        ("a/mod.rs", "use self::one::One;"),
        ("a/one.rs", "use super::{two::{Two, Other as Else}, three};"),
        ("a/two.rs", "fn two() { crate::b::four() }"),
        ("a/three.rs", "// use super::one::One;\n#[cfg(test)]\nmod tests { use super::super::one::One; }"),
        ("b.rs", "use crate::a::one::{self, One};"),
    ];
    let imports = Imports::of(sources.into_iter());
    assert_eq!(imports.cycles(), [["a::one", "a::two", "b"]]);
    assert!(imports.all().any(|import| import == ("a::one", "a::three")));
    assert!(!imports.all().any(|(from, _)| from == "a::three"));
}
