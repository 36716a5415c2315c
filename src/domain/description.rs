//! A canonical, versioned text of named values. Cursors and retry digests are hashes of it, so it must not
//! depend on how Rust prints or orders values. Adding an optional field does not change the text of values
//! without it.

use sha2::{Digest, Sha256};
use std::fmt::{Display, Write};

/// The version of the encoding, part of every description.
const VERSION: u32 = 1;

/// Named values in the order in which they were added. Absent values and empty lists are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// An empty description of a kind of value, such as a mutation or a list.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        Self(format!("{VERSION} {kind}\n"))
    }

    /// Adds a value, if it is present.
    #[must_use]
    pub fn with(mut self, field: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.add(field, value);
        }
        self
    }

    /// Adds each value of a list.
    #[must_use]
    pub fn with_each(mut self, field: &str, values: impl IntoIterator<Item = impl Display>) -> Self {
        for value in values {
            self.add(field, value);
        }
        self
    }

    /// Adds a flag, if it is set.
    #[must_use]
    pub fn with_flag(self, field: &str, is_set: bool) -> Self {
        self.with(field, is_set.then_some(true))
    }

    /// The length of each value comes first, so that no value can be mistaken for another field.
    fn add(&mut self, field: &str, value: impl Display) {
        let value = value.to_string();
        let _ = writeln!(self.0, "{field} {} {value}", value.len());
    }

    /// The SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_has_the_bytes_of_version_one() {
        let absent: Option<&str> = None;
        let description = Description::of("startChat")
            .with("roomId", Some("r"))
            .with("visitorId", absent)
            .with_flag("isPrivate", true)
            .with_flag("autoResume", false)
            .with_each("tags", ["a\nb 1 c", "ü"]);
        assert_eq!(description.0, "1 startChat\nroomId 1 r\nisPrivate 4 true\ntags 7 a\nb 1 c\ntags 2 ü\n");
        assert_eq!(description.digest()[..4], [218, 94, 101, 131]);
    }
}
