//! "Did you mean" suggestions: names of the schema that are close to an unknown name. The library's own
//! suggestions compare names of any length; here the work per error is bounded.

use super::prices::PRICES;

/// The longest name to compare, in characters: twice the longest name of the schema.
const LONGEST: usize = 64;
/// The maximum number of suggested names.
const MOST: usize = 3;

/// The suggestion to add to a library error about an unknown field or argument. `None` if no name is close.
#[must_use]
pub fn suggestion(message: &str) -> Option<String> {
    let mut quoted = message.split('"').skip(1).step_by(2);
    let name = quoted.next().filter(|name| name.len() <= LONGEST)?;
    let known: Vec<&str> = if message.starts_with("Unknown field ") {
        PRICES.named(quoted.next()?)?.fields.keys().map(String::as_str).collect()
    } else if message.starts_with("Unknown argument ") && message.contains("\" on field \"") {
        let (field, of_type) = (quoted.next()?, quoted.next()?);
        PRICES.named(of_type)?.fields.get(field)?.arguments.keys().map(async_graphql::Name::as_str).collect()
    } else {
        return None;
    };
    let most = (name.len() / 2).max(1);
    let lower_case = name.to_ascii_lowercase();
    let contains_it = |known: &str| known.to_ascii_lowercase().contains(&lower_case);
    let close = known.into_iter().map(|known| (strsim::levenshtein(name, known), known));
    let mut close: Vec<_> =
        close.filter(|(distance, known)| *distance <= most || contains_it(known)).collect();
    close.sort_unstable();
    let names: Vec<_> = close.iter().take(MOST).map(|(_, name)| format!("\"{name}\"")).collect();
    (!names.is_empty()).then(|| format!(" Did you mean {}?", names.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_are_suggested_within_bounds() {
        let unknown = |field: &str| suggestion(&format!("Unknown field \"{field}\" on type \"Chat\"."));
        assert_eq!(unknown("titel").as_deref(), Some(" Did you mean \"title\"?"));
        assert!(unknown("sessions").is_some_and(|text| text.contains("\"chatSessions\"")));
        assert_eq!(unknown("zzzzzzzzzzzz"), None);
        assert_eq!(unknown(&"title".repeat(50)), None);
        let argument = "Unknown argument \"frist\" on field \"messages\" of type \"Chat\".";
        assert_eq!(suggestion(argument).as_deref(), Some(" Did you mean \"first\"?"));
        for other in ["", "Unknown type \"Caht\"", "Unknown field \"x\" on type \"Nothing\"."] {
            assert_eq!(suggestion(other), None, "{other}");
        }
    }
}
