//! Text comparison in searches. Folding ignores case, accents, width and ligatures in every script. Matching
//! is character by character, so that any part of a word is found. Searches of messages and of people use the
//! same folding.

use super::refused::Refused;
use super::{limits, text};
use icu_casemap::CaseMapper;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The version of [`fold`]. It changes whenever the output of `fold` does; stored texts are then folded
/// again.
pub const FOLDING: &str = "2";

/// The maximum number of characters (grapheme clusters) in a snippet: before the first match, and in total.
const SNIPPET: (usize, usize) = (40, 160);

/// The method of comparing texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matching {
    /// Ignores case, accents and width.
    Folded,
    /// Compares character by character.
    Exact,
}

/// A search query: at least two characters, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    folded: String,
    /// The query as typed, if a hit must contain it literally.
    exact: Option<String>,
}

impl Query {
    /// Checks, trims and folds a query.
    pub fn new(typed: &str, matching: Matching) -> Result<Self, Refused> {
        text::note("query", typed, limits::QUERY)?;
        let typed = typed.trim();
        let folded = fold(typed);
        if folded.chars().nth(1).is_none() {
            return Err(Refused::Invalid {
                field: "query".into(),
                reason: "`query` must have at least 2 characters.",
            });
        }
        let exact = match matching {
            Matching::Folded => None,
            Matching::Exact => Some(typed.to_owned()),
        };
        Ok(Self { folded, exact })
    }

    /// The folded query, which the folded text of every hit contains.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The text that every hit must also contain literally.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        self.exact.as_deref()
    }
}

/// A part of a hit's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The text as written.
    pub text: String,
    /// Whether it matches the query.
    pub is_match: bool,
}

/// Folds a text for comparison: every character on its own (compatibility composition and full case folding,
/// as in Unicode's `NFKC_Casefold`, with white space as spaces), without accents. A search knows no language,
/// so `Muller`, `Nguyen` and `Lodz` find `Müller`, `Nguyễn` and `Łódź`, and the four letters i of Turkish are
/// equal. Marks that form a different letter stay: the voicing of kana, the vowels of Indic scripts and Thai,
/// the breve of `й`.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().map(fold_ascii).collect();
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.graphemes(true) {
        fold_character(character, &mut folded);
    }
    folded
}

fn fold_ascii(letter: char) -> char {
    if letter.is_ascii_whitespace() { ' ' } else { letter.to_ascii_lowercase() }
}

fn fold_character(character: &str, folded: &mut String) {
    if character.is_ascii() {
        folded.extend(character.chars().map(fold_ascii));
        return;
    }
    let composing = const { ComposingNormalizerBorrowed::new_nfkc() };
    let decomposing = const { DecomposingNormalizerBorrowed::new_nfkd() };
    let cased = CaseMapper::new().fold_string(&composing.normalize(character)).into_owned();
    let mut bare = String::with_capacity(cased.len());
    for letter in decomposing.normalize(&cased).chars() {
        match letter {
            BREVE if bare.ends_with('и') => bare.push(letter),
            letter if is_accent(letter) => {}
            letter => bare.push(letter),
        }
    }
    for letter in composing.normalize(&bare).chars() {
        match letter {
            // Invisible characters: the soft hyphen, joiners, direction marks, variation selectors.
            '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' => {}
            // Letters with a stroke, and ligatures, which do not decompose.
            'ı' => folded.push('i'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ø' => folded.push('o'),
            'ħ' => folded.push('h'),
            'ŧ' => folded.push('t'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            letter if letter.is_whitespace() => folded.push(' '),
            letter => folded.push(letter),
        }
    }
}

const BREVE: char = '\u{306}';

/// Whether a mark can be removed without forming a different letter: the accents of Latin, Greek, Cyrillic,
/// Hebrew and Arabic. They have fixed combining classes, which differ from those of marks that form letters
/// (nukta 7, voicing 8, virama 9, Thai and Lao 103 to 122, strokes 1, vowel signs 0).
fn is_accent(letter: char) -> bool {
    let classes = const { CanonicalCombiningClassMapBorrowed::new() };
    matches!(classes.get_u8(letter), 10..=36 | 200..=240)
}

/// The pairs of adjacent characters of a folded text, by which it is indexed.
pub fn bigrams(folded: &str) -> impl Iterator<Item = (char, char)> {
    folded.chars().zip(folded.chars().skip(1))
}

/// The part of a text around the first match, split into matching and other pieces. Whole characters are
/// marked, even if only a part of one matches.
#[must_use]
pub fn snippet(text: &str, query: &Query) -> Vec<Part> {
    let characters: Vec<&str> = text.graphemes(true).collect();
    let mut folded = String::with_capacity(text.len());
    let places: Vec<Range<usize>> = characters
        .iter()
        .map(|character| {
            let start = folded.len();
            fold_character(character, &mut folded);
            start..folded.len()
        })
        .collect();
    let mut is_match = vec![false; characters.len()];
    let mut mark = |places: &[Range<usize>], at: usize, length: usize| {
        let first = places.partition_point(|place| place.end <= at);
        let end = places.partition_point(|place| place.start < at + length);
        is_match[first..end].fill(true);
    };
    if let Some(exact) = query.exact() {
        let mut start = 0;
        let written: Vec<Range<usize>> = characters
            .iter()
            .map(|character| {
                let from = start;
                start += character.len();
                from..start
            })
            .collect();
        text.match_indices(exact).for_each(|(at, found)| mark(&written, at, found.len()));
    } else {
        folded.match_indices(query.folded()).for_each(|(at, found)| mark(&places, at, found.len()));
    }
    let first = is_match.iter().position(|is_match| *is_match).unwrap_or_default();
    let (before, most) = SNIPPET;
    let latest = characters.len().saturating_sub(most);
    let start = first.saturating_sub(before).min(latest);
    let end = characters.len().min(start + most);
    let mut parts: Vec<Part> = Vec::new();
    let mut push = |text: &str, is_match: bool| match parts.last_mut() {
        Some(last) if last.is_match == is_match => last.text.push_str(text),
        _ => parts.push(Part { text: text.to_owned(), is_match }),
    };
    if start > 0 {
        push("…", false);
    }
    for (character, is_match) in characters[start..end].iter().zip(&is_match[start..end]) {
        push(character, *is_match);
    }
    if end < characters.len() {
        push("…", false);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(typed: &str) -> Query {
        Query::new(typed, Matching::Folded).expect("a query")
    }

    fn shown(text: &str, typed: &str) -> String {
        let parts = snippet(text, &query(typed));
        parts
            .iter()
            .map(|part| if part.is_match { format!("[{}]", part.text) } else { part.text.clone() })
            .collect()
    }

    #[test]
    fn case_width_and_composition_make_no_difference() {
        let same = [
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("STRASSE", "straße"),
            ("ẞ", "ss"),
            ("ЁЛКА", "ёлка"),
            ("İstanbul", "istanbul"),
            ("KAPI", "kapı"),
            ("ﬁn", "FIN"),
            ("Ｈｅｌｌｏ", "hello"),
            ("ﾊﾟﾝ", "パン"),
            ("e\u{301}", "É"),
            ("co\u{ad}op", "coop"),
            ("❤\u{fe0f}", "❤"),
            ("a\u{a0}b\nc", "a b c"),
        ];
        for (one, other) in same {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn accents_make_no_difference_but_other_letters_do() {
        let same = [
            ("café", "CAFE"),
            ("Zürich", "zurich"),
            ("Nguyễn", "nguyen"),
            ("Đặng", "dang"),
            ("Łódź", "lodz"),
            ("SMØRREBRØD", "smorrebrod"),
            ("Œuvre", "oeuvre"),
            ("Ἀθῆναι", "αθηναι"),
            ("ёлка", "елка"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("आ\u{951}", "आ"),
            ("e\u{301}\u{327}", "e"),
        ];
        for (one, other) in same {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        let different = [
            ("が", "か"),
            ("パ", "ハ"),
            ("й", "и"),
            ("कि", "क"),
            ("ไม่", "ใม่"),
            ("ที่", "ทา"),
            ("한", "하"),
            ("≠", "="),
        ];
        for (one, other) in different {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn exact_query_marks_only_what_was_typed() {
        let exact = |typed: &str| Query::new(typed, Matching::Exact).expect("a query");
        let shown = |text: &str, typed: &str| -> Vec<String> {
            let parts = snippet(text, &exact(typed));
            parts.into_iter().filter(|part| part.is_match).map(|part| part.text).collect()
        };
        assert_eq!(shown("Cafe café CAFÉ", "café"), ["café"]);
        assert_eq!(shown("Ähre, ähre und Ähre", "Ähre"), ["Ähre", "Ähre"]);
        assert_eq!(exact(" Ab ").exact(), Some("Ab"));
        assert_eq!(exact("Ab").folded(), "ab");
        assert_eq!(query("Ab").exact(), None);
    }

    #[test]
    fn a_query_has_two_characters_or_more() {
        for short in ["", " ", "a", " a ", "字", "\u{200b}a"] {
            assert!(matches!(Query::new(short, Matching::Folded), Err(Refused::Invalid { .. })), "{short:?}");
        }
        assert!(matches!(Query::new("a\0b", Matching::Folded), Err(Refused::Invalid { .. })));
        assert!(matches!(Query::new(&"a".repeat(201), Matching::Folded), Err(Refused::TooLong { .. })));
        assert_eq!(query(" Ab ").folded(), "ab");
        assert_eq!(query(&"ä".repeat(200)).folded().chars().count(), 200);
    }

    #[test]
    fn a_snippet_marks_what_was_written() {
        assert_eq!(shown("In der Straße, STRASSE", "strasse"), "In der [Straße], [STRASSE]");
        assert_eq!(shown("Straße", "ass"), "Str[aß]e");
        assert_eq!(shown("👨\u{200d}👩\u{200d}👧 here", "👩👧"), "[👨\u{200d}👩\u{200d}👧] here");
        let long = format!("{}needle{}", "a".repeat(300), "b".repeat(300));
        let expected = format!("…{}[needle]{}…", "a".repeat(40), "b".repeat(114));
        assert_eq!(shown(&long, "NEEDLE"), expected);
        assert_eq!(shown(&format!("{}end", "a".repeat(300)), "end"), format!("…{}[end]", "a".repeat(157)));
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for letter in ('\u{20}'..=char::MAX).filter(|letter| !letter.is_control()) {
            let once = fold(&letter.to_string());
            assert_eq!(fold(&once), once, "U+{:04X}", u32::from(letter));
        }
    }

    proptest! {
        #[test]
        fn a_snippet_is_a_part_of_the_text(text in "\\PC{0,400}", typed in "\\PC{2,3}") {
            if let Ok(query) = Query::new(&typed, Matching::Folded) {
                let parts = snippet(&text, &query);
                let joined: String = parts.iter().map(|part| part.text.as_str()).collect();
                let inner = joined.strip_prefix('…').unwrap_or(&joined);
                prop_assert!(text.contains(inner.strip_suffix('…').unwrap_or(inner)));
                let has_match = parts.iter().any(|part| part.is_match);
                prop_assert_eq!(has_match, fold(&text).contains(query.folded()));
            }
        }
    }
}
