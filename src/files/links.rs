//! Signed links, which grant one action for minutes: to download a file, or to upload one.
//!
//! A link names the attachment and the second at which it expires. The signature covers both, and the purpose
//! of the link. The limits of an upload (size, type, chat) are in the attachment's row and never change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use entity::{AttachmentId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The window in which links to a file are identical, so that they can be cached. A link is valid for one to
/// two windows.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// How long after the grant an upload must start.
const UPLOAD_WITHIN: TimeDelta = TimeDelta::minutes(15);
/// The number of bytes of a signature in a link: 128 bits.
const TAG: usize = 16;

/// The purpose of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Upload the bytes of a file.
    Upload,
    /// Download a file.
    File,
    /// Download the preview of an image.
    Preview,
}

impl Purpose {
    /// The tag is signed, so it must not change while links are valid.
    fn tag(self) -> u8 {
        match self {
            Self::Upload => 1,
            Self::File => 2,
            Self::Preview => 3,
        }
    }
}

/// The reason why a link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLink {
    /// The link was not created here, or not for this purpose.
    Forged,
    /// The link has expired.
    Expired,
}

/// Creates and checks links.
pub struct Links {
    mac: Hmac<Sha256>,
    /// The server's public URL, without a trailing slash.
    base: String,
}

impl Links {
    pub(super) fn new(secret: &[u8], base: &str) -> Self {
        let digest = Sha256::new().chain_update(b"anteroom files\0").chain_update(secret).finalize();
        let mut key = [0; 64];
        key[..32].copy_from_slice(&digest);
        Self { mac: Hmac::<Sha256>::new(&key.into()), base: base.trim_end_matches('/').to_owned() }
    }

    /// The URL of a file or its preview, and its expiry time.
    #[must_use]
    pub fn to_file(&self, purpose: Purpose, id: AttachmentId, now: Timestamp) -> (String, Timestamp) {
        let window = WINDOW.num_milliseconds();
        let until = Timestamp(now.0 - now.0.rem_euclid(window) + 2 * window);
        let path = match purpose {
            Purpose::Upload | Purpose::File => "files",
            Purpose::Preview => "previews",
        };
        (self.link(path, purpose, id, until), until)
    }

    /// The URL for the bytes of an upload, and the time until which the upload can start.
    #[must_use]
    pub fn to_upload(&self, id: AttachmentId, now: Timestamp) -> (String, Timestamp) {
        // Rounded to whole seconds, as in the link.
        let until = now.plus(UPLOAD_WITHIN);
        let until = Timestamp(until.0 - until.0.rem_euclid(1_000));
        (self.link("uploads", Purpose::Upload, id, until), until)
    }

    /// Checks that a link with this expiry and signature was created here for this purpose and has not
    /// expired.
    pub fn check(
        &self,
        purpose: Purpose,
        id: AttachmentId,
        until: i64,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), BadLink> {
        let mut tag = [0; TAG];
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut tag).map_err(|_| BadLink::Forged)?;
        // Compares in constant time.
        let is_ours = self.sign(purpose, id, until).verify_truncated_left(&tag).is_ok();
        if length != TAG || !is_ours {
            Err(BadLink::Forged)
        } else if now.0 >= until.saturating_mul(1_000) {
            Err(BadLink::Expired)
        } else {
            Ok(())
        }
    }

    fn link(&self, path: &str, purpose: Purpose, id: AttachmentId, until: Timestamp) -> String {
        let until = until.0 / 1_000;
        let tag = self.sign(purpose, id, until).finalize().into_bytes();
        let signature = URL_SAFE_NO_PAD.encode(&tag[..TAG]);
        format!("{}/{path}/{}?until={until}&signature={signature}", self.base, id.0.simple())
    }

    fn sign(&self, purpose: Purpose, id: AttachmentId, until: i64) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(&[purpose.tag()]);
        mac.update(id.0.as_bytes());
        mac.update(&until.to_be_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_800_000_123_456);

    fn parts(link: &str) -> (i64, String) {
        let (_, query) = link.split_once("?until=").unwrap_or_default();
        let (until, signature) = query.split_once("&signature=").unwrap_or_default();
        (until.parse().unwrap_or_default(), signature.to_owned())
    }

    #[test]
    fn a_link_holds_for_one_thing_until_its_end() {
        let links = Links::new(b"secret", "https://chat.example/");
        let id = AttachmentId(Uuid::from_u128(7));
        let (link, end) = links.to_file(Purpose::File, id, NOW);
        assert!(link.starts_with("https://chat.example/files/00000000000000000000000000000007?until="));
        let (until, signature) = parts(&link);
        assert_eq!(end.0, until * 1_000);
        let check =
            |purpose, id, until, signature: &str, now| links.check(purpose, id, until, signature, now);
        assert_eq!(check(Purpose::File, id, until, &signature, NOW), Ok(()));
        assert_eq!(check(Purpose::File, id, until, &signature, end), Err(BadLink::Expired));
        let forged = Err(BadLink::Forged);
        assert_eq!(check(Purpose::Preview, id, until, &signature, NOW), forged);
        assert_eq!(check(Purpose::Upload, id, until, &signature, NOW), forged);
        assert_eq!(check(Purpose::File, AttachmentId(Uuid::from_u128(8)), until, &signature, NOW), forged);
        assert_eq!(check(Purpose::File, id, until + 1, &signature, NOW), forged);
        assert_eq!(check(Purpose::File, id, i64::MAX, &signature, NOW), forged);
        for bad in ["", "x", &signature[1..], &format!("{signature}A"), "AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(check(Purpose::File, id, until, bad, NOW), forged, "{bad}");
        }
        assert_eq!(Links::new(b"other", "").check(Purpose::File, id, until, &signature, NOW), forged);
    }

    #[test]
    fn links_of_one_window_are_the_same_and_live_for_minutes() {
        let (links, id) = (Links::new(b"secret", ""), AttachmentId(Uuid::from_u128(7)));
        let start = Timestamp(NOW.0 - NOW.0.rem_euclid(WINDOW.num_milliseconds()));
        let at = |minutes| links.to_file(Purpose::File, id, start.plus(TimeDelta::minutes(minutes)));
        assert_eq!(at(0), at(14));
        assert_ne!(at(0), at(15));
        assert_eq!(at(14).1.since(start), TimeDelta::minutes(30));
    }
}
