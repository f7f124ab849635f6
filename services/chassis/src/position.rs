//! Positions in a service's feed, and the opaque token that callers hold.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// A place in the history of one service: how far, and in which history.
///
/// Positions count from 1, one for each change of a fact. The marker is the last one at or before the position; each
/// start of a process and each new incarnation of the server writes one, so that after history was rewound (a restored
/// backup, say) the markers no longer match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// How many changes; 0 is before the first.
    pub n: i64,
    /// Id of the last marker at or before `n`; nil when there is none.
    pub marker: Uuid,
}

impl Position {
    /// Before everything.
    pub const START: Position = Position { n: 0, marker: Uuid::nil() };

    /// The token for callers: opaque, and good for this service only.
    pub fn encode(&self, service: &str) -> String {
        let mut bytes = Vec::with_capacity(25 + service.len());
        bytes.push(FORMAT);
        bytes.extend(self.n.to_be_bytes());
        bytes.extend(self.marker.as_bytes());
        bytes.extend(service.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The service that a token belongs to, and the position. `None` for what is no token.
    pub fn decode(token: &str) -> Option<(String, Position)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (head, service) = bytes.split_at_checked(25)?;
        let (format, rest) = head.split_first()?;
        let (n, marker) = rest.split_at(8);
        let position = Position { n: i64::from_be_bytes(n.try_into().ok()?), marker: Uuid::from_slice(marker).ok()? };
        let service = String::from_utf8(service.to_vec()).ok()?;
        (*format == FORMAT && position.n >= 0 && !service.is_empty()).then_some((service, position))
    }
}

/// The first byte of a token, for tokens of other shapes to come.
const FORMAT: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_went_and_garbage_does_not() {
        let position = Position { n: 12_345, marker: Uuid::from_u128(42) };
        assert_eq!(Position::decode(&position.encode("surveys")), Some(("surveys".to_owned(), position)));
        for garbage in ["", "x", "AAAA", &position.encode(""), "!!"] {
            assert_eq!(Position::decode(garbage), None, "{garbage}");
        }
    }
}
