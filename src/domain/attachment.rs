//! The rules for attachments of a message, and their equality for retries.

use super::field_path::FieldPath;
use super::refused::Refused;
use super::{limits, text};
use entity::{ActorId, AttachmentId};
use url::Url;

/// A link to attach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    /// The URL: http or https, at most 2048 characters after normalization.
    pub url: String,
    /// The name to show. Defaults to the host.
    pub name: Option<String>,
}

/// A contact to attach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContact {
    /// The actor, whom the viewer must be able to see.
    pub actor_id: Option<ActorId>,
    /// The address of a person who is not an actor.
    pub address: Option<String>,
    /// The name to show. Defaults to the address.
    pub name: Option<String>,
}

/// The attachments of a message: files first, then links, then contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// The viewer's uploads.
    pub files: Vec<AttachmentId>,
    pub links: Vec<NewLink>,
    pub contacts: Vec<NewContact>,
}

impl Attached {
    /// Whether there are no attachments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.links.is_empty() && self.contacts.is_empty()
    }

    /// Normalizes links and removes bidirectional controls from the shown texts.
    pub fn normalize(&mut self) {
        for link in &mut self.links {
            if let Some(url) = link.href() {
                link.url = url.into();
            }
            link.name.as_mut().map(text::remove_bidi_controls);
        }
        for contact in &mut self.contacts {
            for shown in [&mut contact.name, &mut contact.address] {
                shown.as_mut().map(text::remove_bidi_controls);
            }
        }
    }

    /// Checks everything that does not depend on stored data.
    pub fn check(&self) -> Result<(), Refused> {
        let counts = [
            ("attachmentIds", self.files.len()),
            ("links", self.links.len()),
            ("contacts", self.contacts.len()),
        ];
        let mut sum = 0;
        for (field, count) in counts {
            sum += count;
            if sum > limits::ATTACHMENTS {
                return Err(Refused::TooMany { field: field.into(), limit: limits::ATTACHMENTS });
            }
        }
        let is_twice = |(at, id): &(usize, &AttachmentId)| self.files[..*at].contains(id);
        if let Some((at, _)) = self.files.iter().enumerate().find(is_twice) {
            let reason = "Each file can be attached only once.";
            return Err(Refused::Invalid { field: FieldPath::of("attachmentIds").item(at), reason });
        }
        for (at, link) in self.links.iter().enumerate() {
            link.check(&FieldPath::of("links").item(at))?;
        }
        for (at, contact) in self.contacts.iter().enumerate() {
            contact.check(&FieldPath::of("contacts").item(at))?;
        }
        Ok(())
    }
}

impl NewLink {
    fn check(&self, field: &FieldPath) -> Result<(), Refused> {
        let refused = |reason| Err(Refused::Invalid { field: field.field("url"), reason });
        if self.url.chars().any(char::is_control) {
            return refused("Control characters are not allowed.");
        }
        let Some(url) = text::web_url(&self.url) else {
            return refused("The URL of a link must start with http:// or https://.");
        };
        if has_credentials(&url) {
            return refused("The URL of a link must not contain a user name or a password.");
        }
        text::line(field.field("url"), &self.url, limits::LINK)?;
        self.name.as_ref().map_or(Ok(()), |name| text::name(field.field("name"), &mut name.clone()))
    }

    /// The URL as browsers parse it. `None` if it is too long, or contains credentials or control characters.
    fn href(&self) -> Option<Url> {
        let is_short = self.url.chars().nth(limits::LINK).is_none();
        let is_line = !self.url.chars().any(char::is_control);
        text::web_url(&self.url).filter(|url| is_short && is_line && !has_credentials(url))
    }

    /// The host of an http or https URL.
    fn host(&self) -> Option<String> {
        Some(text::web_url(&self.url)?.host_str()?.chars().take(limits::NAME).collect())
    }

    /// The name to show.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone().or_else(|| self.host()).unwrap_or_default()
    }
}

/// Whether the URL has a user name or password, which could be mistaken for the host.
fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

impl NewContact {
    fn check(&self, field: &FieldPath) -> Result<(), Refused> {
        let card = field.field("card");
        if let Some(address) = &self.address {
            let field = card.field("address");
            text::line(&field, address, limits::ADDRESS)?;
            if !text::has_visible(address) {
                let reason = "An address must have at least one visible character.";
                return Err(Refused::Invalid { field, reason });
            }
        }
        self.name.as_ref().map_or(Ok(()), |name| text::name(card.field("name"), &mut name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str) -> Attached {
        Attached { links: vec![NewLink { url: url.into(), name: None }], ..Attached::default() }
    }

    #[test]
    fn a_link_leads_to_the_web() {
        for url in ["https://example.org/a?b#c", "http://example.org", "HTTPS://EXAMPLE.ORG/"] {
            assert_eq!(link(url).check(), Ok(()), "{url}");
        }
        for url in
            ["", "example.org", "javascript:alert(1)", "data:text/html,x", "ftp://example.org/", "http://"]
        {
            assert!(matches!(link(url).check(), Err(Refused::Invalid { .. })), "{url}");
        }
        let long = |length: usize| format!("https://example.org/{}", "x".repeat(length - 20));
        assert_eq!(link(&long(limits::LINK)).check(), Ok(()));
        assert!(matches!(link(&long(limits::LINK + 1)).check(), Err(Refused::TooLong { .. })));
        assert_eq!(link("https://example.org/a").links[0].name(), "example.org");
    }

    #[test]
    fn link_is_stored_as_browsers_read_it() {
        for (given, stored, name) in [
            ("https:e.org", "https://e.org/", "e.org"),
            ("HTTPS://EXAMPLE.ORG", "https://example.org/", "example.org"),
            (r"https:\\e.org\a", "https://e.org/a", "e.org"),
            (" https:///e.org/a b ", "https://e.org/a%20b", "e.org"),
            ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4", "xn--bcher-kva.example"),
            ("http://0x7f.1:80/", "http://127.0.0.1/", "127.0.0.1"),
        ] {
            let mut attached = link(given);
            attached.normalize();
            assert_eq!(attached.check(), Ok(()), "{given}");
            assert_eq!((attached.links[0].url.as_str(), attached.links[0].name().as_str()), (stored, name));
            let again = attached.clone();
            attached.normalize();
            assert_eq!(attached, again);
        }
        for refused in [
            "https://e.org@evil.example/",
            "https://:x@e.org/",
            "https://e.org\t/",
            "//e.org",
            "/a",
            "mailto:a@e.org",
        ] {
            let mut attached = link(refused);
            attached.normalize();
            assert!(matches!(attached.check(), Err(Refused::Invalid { .. })), "{refused}");
        }
    }

    #[test]
    fn ten_things_are_attached_at_most_of_whatever_kind() {
        let mut attached = link("https://example.org/");
        attached.contacts =
            vec![NewContact { actor_id: None, address: Some("+1 555".into()), name: None }; 9];
        assert_eq!(attached.check(), Ok(()));
        attached.contacts.push(attached.contacts[0].clone());
        assert_eq!(attached.check(), Err(Refused::TooMany { field: "contacts".into(), limit: 10 }));
    }
}
