//! The rules for reactions: exactly one emoji, in a normalized form.

use super::field_path::FieldPath;
use super::{limits, refused::Refused};
use icu_properties::CodePointSetData;
use icu_properties::props::{EmojiModifier, EmojiPresentation, ExtendedPictographic, RegionalIndicator};
use unicode_segmentation::UnicodeSegmentation;

/// Asks for the picture, where a character is also a letter: `VARIATION SELECTOR-16`.
const AS_PICTURE: char = '\u{fe0f}';
const AS_TEXT: char = '\u{fe0e}';
const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
/// Tags spell the flags of regions, as that of Scotland.
const TAGS: std::ops::RangeInclusive<char> = '\u{e0020}'..='\u{e007f}';

/// The emoji that somebody typed, as all who react with it have it: one character as people count them, and where it
/// can be written with or without a sign that asks for the picture, with it.
pub fn emoji(field: impl Into<FieldPath>, typed: &str) -> Result<String, Refused> {
    let field = field.into();
    let refused = || Refused::Invalid { field: field.clone(), reason: "`emoji` must be exactly one emoji." };
    if typed.chars().nth(limits::EMOJI).is_some() {
        return Err(Refused::TooLong { field: field.clone(), limit: limits::EMOJI });
    }
    if typed.graphemes(true).count() != 1 {
        return Err(refused());
    }
    let bare: Vec<char> = typed.chars().filter(|letter| *letter != AS_PICTURE).collect();
    if !is_emoji(&bare) {
        return Err(refused());
    }
    let mut whole = String::with_capacity(typed.len());
    for (place, letter) in bare.iter().enumerate() {
        whole.push(*letter);
        let is_toned = bare.get(place + 1).is_some_and(|next| is_tone(*next));
        let is_key = bare.get(place + 1) == Some(&KEYCAP);
        let may_be_text =
            is_picture(*letter) && !CodePointSetData::new::<EmojiPresentation>().contains(*letter);
        if is_key || (may_be_text && !is_toned) {
            whole.push(AS_PICTURE);
        }
    }
    Ok(whole)
}

fn is_emoji(letters: &[char]) -> bool {
    match letters {
        [key, KEYCAP] => matches!(key, '0'..='9' | '#' | '*'),
        [one, other] if is_region(*one) => is_region(*other),
        [first, rest @ ..] => {
            let may_follow = |letter: &char| {
                is_picture(*letter) || is_tone(*letter) || *letter == JOINER || TAGS.contains(letter)
            };
            is_picture(*first) && rest.iter().all(may_follow) && rest.last() != Some(&JOINER)
        }
        [] => false,
    }
}

fn is_picture(letter: char) -> bool {
    letter != AS_TEXT && CodePointSetData::new::<ExtendedPictographic>().contains(letter)
}

fn is_tone(letter: char) -> bool {
    CodePointSetData::new::<EmojiModifier>().contains(letter)
}

fn is_region(letter: char) -> bool {
    CodePointSetData::new::<RegionalIndicator>().contains(letter)
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
