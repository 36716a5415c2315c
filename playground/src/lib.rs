//! GraphiQL, ready to be served: the page in `page/`, built by this crate's build script and embedded, so that
//! the server needs no internet and no folder beside it. Knows nothing of HTTP, nor of the server.

use flate2::read::GzDecoder;
use std::io::{self, Read};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Where the page looks for it, without a leading slash.
    pub path: &'static str,
    /// Its bytes, gzipped.
    pub gzipped: &'static [u8],
}

impl File {
    /// Its bytes, for the rare client that does not take them gzipped.
    pub fn plain(self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        GzDecoder::new(self.gzipped).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether its name changes with its content, so that nobody need ask for it twice.
    #[must_use]
    pub fn is_hashed(self) -> bool {
        self.path.starts_with("assets/")
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self.path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("ttf") => "font/ttf",
            Some("woff2") => "font/woff2",
            _ => "application/octet-stream",
        }
    }
}

/// The file that the page looks for under this path.
#[must_use]
pub fn find(path: &str) -> Option<File> {
    FILES.binary_search_by(|file| file.path.cmp(path)).ok().map(|index| FILES[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_and_can_be_read() {
        assert_eq!(MISSING.is_none(), find("index.html").is_some(), "a page, or why there is none");
        for file in FILES {
            assert!(find(file.path).is_some(), "{}", file.path);
            assert!(!file.plain().expect("gzip").is_empty(), "{}", file.path);
            assert_ne!(file.media_type(), "application/octet-stream", "{}", file.path);
            assert!(file.is_hashed() || file.path == "index.html", "{}", file.path);
        }
        assert!(find("assets/").is_none());
    }
}
