//! The secret that signs tokens and cursors: from the configuration, or from a file in the data folder.

use crate::actions::Secret;
use crate::config::Config;
use anyhow::{Context, bail};
use base64::Engine;
use rand::Rng;
use secrecy::ExposeSecret;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

const TOO_SHORT: &str = "the secret has fewer than 32 bytes";

/// The configured secret, or the one in the data folder. `None` if there is neither.
pub(super) fn kept(config: &Config) -> anyhow::Result<Option<Secret>> {
    if let Some(text) = &config.secret {
        return Secret::new(text.expose_secret().as_bytes().to_vec()).context(TOO_SHORT).map(Some);
    }
    let path = config.data.join("secret");
    let mut text = String::new();
    match File::open(&path).and_then(|mut file| file.read_to_string(&mut text)) {
        Ok(_) => Secret::new(text.trim().as_bytes().to_vec())
            .with_context(|| format!("{}: {TOO_SHORT}", path.display()))
            .map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

/// Creates a secret in the data folder. If a store in use has lost its secret, this fails unless a new one is
/// requested.
pub(super) fn make(config: &Config, is_in_use: bool) -> anyhow::Result<Secret> {
    let path = config.data.join("secret");
    if is_in_use && !config.new_secret {
        bail!(
            "the database holds organizations, but {} is missing: restore it, or set ANTEROOM_SECRET to the secret that \
             the other nodes use. To sign everybody out and start with a new secret, use --new-secret",
            path.display()
        );
    }
    let mut bytes = [0_u8; 48];
    rand::rng().fill_bytes(&mut bytes);
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("could not make {}", path.display()))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    // The file's directory entry must also be on disk before the secret signs anything.
    written.and_then(|()| File::open(&config.data)?.sync_all()).context("could not write the secret")?;
    Secret::new(text.into_bytes()).context(TOO_SHORT)
}
