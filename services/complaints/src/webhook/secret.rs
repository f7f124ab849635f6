//! Secrets: how receivers know that a notice is from here, as Standard Webhooks has it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use sea_orm::DeriveValueType;

/// What stands before the base64 of a secret.
const PREFIX: &str = "whsec_";
/// How many bytes a secret that is made here has.
const BYTES: usize = 32;

/// A secret: `whsec_` and the base64 of 24 to 64 bytes. It is shown to whoever asks for its text, and in no log.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new one, by chance.
    #[allow(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        let mut bytes = [0; BYTES];
        // The system's randomness does not fail once it is there; were it not, nothing here could be secret.
        #[allow(clippy::expect_used, reason = "a secret of zeros would be worse")]
        SystemRandom::new().fill(&mut bytes).expect("the system's randomness");
        Secret(format!("{PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// The one that a caller gives; none when it is not of the form.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Secret(text.to_owned()))
    }

    /// The text, for whoever is to check signatures.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The signature of a body under an id at an instant, in seconds since 1970: `v1,` and base64.
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let bytes = self.0.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's own libraries.
    #[test]
    fn it_signs_as_others_do() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("24 bytes");
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_long_enough_and_told_to_nobody() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for bytes in [24, 32, 64] {
            assert!(Secret::parse(&of(bytes)).is_some(), "{bytes}");
        }
        for bad in [of(23), of(65), String::new(), "whsec_".to_owned(), "whsec_%".to_owned(), STANDARD.encode([7; 32])]
        {
            assert!(Secret::parse(&bad).is_none(), "{bad}");
        }
        let made = Secret::new();
        assert_eq!(Secret::parse(made.text()).as_ref(), Some(&made));
        assert_ne!(made, Secret::new());
        assert_eq!(format!("{made:?}"), "Secret");
    }
}
