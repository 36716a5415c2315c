//! The rules for reactions: exactly one emoji, in a normalized form.

use super::field_path::FieldPath;
use super::{limits, refused::Refused};
use std::collections::HashMap;
use std::sync::LazyLock;

/// `VARIATION SELECTOR-16` requests the emoji form of a character that also has a text form. Keyboards may
/// leave it out.
const AS_PICTURE: char = '\u{fe0f}';

/// All emojis of Unicode, keyed by their text without [`AS_PICTURE`]. The library's own lookup by such a text
/// (`emojis::get` of 0.9.1) returns a different emoji for 24 couples with skin tones.
static EMOJIS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let toned = |emoji: &'static emojis::Emoji| emoji.skin_tones().into_iter().flatten();
    let all = emojis::iter().flat_map(|emoji| std::iter::once(emoji).chain(toned(emoji)));
    all.map(|emoji| (bare(emoji.as_str()), emoji.as_str())).collect()
});

fn bare(text: &str) -> String {
    text.chars().filter(|letter| *letter != AS_PICTURE).collect()
}

/// Normalizes an emoji to its fully qualified form, so that all variants of it are counted together.
pub fn emoji(field: impl Into<FieldPath>, typed: &str) -> Result<String, Refused> {
    let field = field.into();
    if typed.chars().nth(limits::EMOJI).is_some() {
        return Err(Refused::TooLong { field, limit: limits::EMOJI });
    }
    match EMOJIS.get(&bare(typed)) {
        Some(whole) => Ok((*whole).to_owned()),
        None => Err(Refused::Invalid { field, reason: "`emoji` must be exactly one emoji." }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_taken_as_it_is() {
        for whole in ["👍", "👍🏽", "❤️", "❤️‍🔥", "🏳️‍🌈", "👁️‍🗨️", "🕵️‍♂️", "🕵🏽‍♂️", "👩🏽‍❤️‍💋‍👨🏽", "🇫🇮", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "#️⃣", "🙏"]
        {
            assert_eq!(emoji("emoji", whole).as_deref(), Ok(whole));
        }
    }

    #[test]
    fn the_same_picture_is_the_same_reaction() {
        assert_eq!(emoji("emoji", "❤"), emoji("emoji", "❤\u{fe0f}"));
        assert_eq!(emoji("emoji", "👍\u{fe0f}"), emoji("emoji", "👍"));
        assert_eq!(emoji("emoji", "🏳‍🌈"), emoji("emoji", "🏳️‍🌈"));
        assert_ne!(emoji("emoji", "👍🏽"), emoji("emoji", "👍"));
    }

    #[test]
    fn every_emoji_is_itself() {
        let toned = |emoji: &'static emojis::Emoji| emoji.skin_tones().into_iter().flatten();
        let all: Vec<_> = emojis::iter().flat_map(|one| std::iter::once(one).chain(toned(one))).collect();
        assert!(all.len() > 3_900, "{}", all.len());
        for one in all {
            assert_eq!(emoji("emoji", one.as_str()).as_deref(), Ok(one.as_str()));
            assert!(one.as_str().chars().count() <= limits::EMOJI, "{one}");
        }
    }

    #[test]
    fn nothing_else_is_one() {
        let others = [
            "",
            " ",
            "a",
            "1",
            "#",
            "👍👍",
            "👍 ",
            "a👍",
            "❤\u{fe0e}",
            "🇫",
            "\u{200d}",
            "👍\u{200d}",
            "é",
            "\u{20e3}",
            "👍\u{301}",
        ];
        for other in others {
            assert!(matches!(emoji("emoji", other), Err(Refused::Invalid { .. })), "{other}");
        }
    }
}
