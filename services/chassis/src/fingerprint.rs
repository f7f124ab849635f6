//! Fingerprints: whether two requests ask for the same.

use serde::Serialize;

use crate::error::Error;

/// A hash of parsed values: 64 bits, the same on every machine and in every version that keeps the values' shape.
pub fn of(values: &impl Serialize) -> Result<i64, Error> {
    let bytes = serde_json::to_vec(values).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(hash(&bytes))
}

/// The same of a message, whose maps are ordered.
pub fn of_message(message: &impl prost::Message) -> i64 {
    hash(&message.encode_to_vec())
}

/// A hash of a text by a secret, as 64 digits: nobody who has not got the secret can tell of which text it is.
pub fn keyed(secret: &str, text: &str) -> String {
    let key = blake3::derive_key("barometer keyed fingerprint", secret.as_bytes());
    blake3::keyed_hash(&key, text.as_bytes()).to_hex().to_string()
}

fn hash(bytes: &[u8]) -> i64 {
    let hash = blake3::hash(bytes);
    let (head, _) = hash.as_bytes().split_at(8);
    head.try_into().map(i64::from_be_bytes).unwrap_or_default()
}
