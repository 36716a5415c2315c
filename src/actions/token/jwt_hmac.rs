//! The HMAC algorithms of JSON Web Tokens (RFC 7518 section 3.2), for jsonwebtoken. Its own providers also compile RSA
//! and elliptic curves, which no token here uses; the `rsa` crate has a timing side channel (RUSTSEC-2023-0071).

use hmac::digest::OutputSizeUser;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use sha2::{Sha256, Sha384, Sha512};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs this provider for the process, unless one is installed.
pub(in crate::actions) fn install() {
    let _ = PROVIDER.install_default();
}

struct Keyed<M> {
    mac: M,
    algorithm: Algorithm,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is the library's")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    if key.family() != AlgorithmFamily::Hmac {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    let (algorithm, key) = (*algorithm, key.as_bytes());
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing but HMAC is supported")]
    Ok(match algorithm {
        Algorithm::HS256 => Box::new(keyed::<Hmac<Sha256>>(algorithm, key)?),
        Algorithm::HS384 => Box::new(keyed::<Hmac<Sha384>>(algorithm, key)?),
        Algorithm::HS512 => Box::new(keyed::<Hmac<Sha512>>(algorithm, key)?),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is the library's")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if key.family() != AlgorithmFamily::Hmac {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    let (algorithm, key) = (*algorithm, key.try_get_as_bytes()?);
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing but HMAC is supported")]
    Ok(match algorithm {
        Algorithm::HS256 => Box::new(keyed::<Hmac<Sha256>>(algorithm, key)?),
        Algorithm::HS384 => Box::new(keyed::<Hmac<Sha384>>(algorithm, key)?),
        Algorithm::HS512 => Box::new(keyed::<Hmac<Sha512>>(algorithm, key)?),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    })
}

fn keyed<M: KeyInit>(algorithm: Algorithm, key: &[u8]) -> Result<Keyed<M>> {
    let mac = M::new_from_slice(key).map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Keyed { mac, algorithm })
}

impl<M: Mac + Clone + OutputSizeUser> Signer<Vec<u8>> for Keyed<M> {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.mac.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl<M: Mac + Clone> Verifier<Vec<u8>> for Keyed<M> {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.mac.clone().chain_update(message).verify_slice(signature).map_err(|_| Error::new())
    }
}

impl<M: Mac + Clone> JwtSigner for Keyed<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl<M: Mac + Clone> JwtVerifier for Keyed<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// The example of RFC 7515, appendix A.1.
    #[test]
    fn token_of_the_specification_is_valid() {
        const KEY: &str =
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        const MESSAGE: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        const SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let key = URL_SAFE_NO_PAD.decode(KEY).expect("a key");
        let (key, other) = (EncodingKey::from_secret(&key), DecodingKey::from_secret(&key));
        let made =
            signer(&Algorithm::HS256, &key).and_then(|signer| Ok(signer.try_sign(MESSAGE.as_bytes())?));
        assert_eq!(made.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).ok().as_deref(), Some(SIGNATURE));
        let verifier =
            verifier(&Algorithm::HS256, &other).unwrap_or_else(|error| panic!("no verifier: {error}"));
        let mut signature = URL_SAFE_NO_PAD.decode(SIGNATURE).expect("a signature");
        assert!(verifier.verify(MESSAGE.as_bytes(), &signature).is_ok());
        signature[0] ^= 1;
        assert!(verifier.verify(MESSAGE.as_bytes(), &signature).is_err());
        assert!(signer(&Algorithm::RS256, &key).is_err());
    }
}
