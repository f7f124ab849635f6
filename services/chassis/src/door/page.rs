//! Pages of lists: size, and the opaque token that says where the next one begins.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use prost::Message;
use uuid::Uuid;

use super::Door;

const DEFAULT_SIZE: u16 = 50;
/// The most that a page holds.
const MAX_SIZE: u16 = 1_000;
/// The most bytes of a page, unless one item alone has more: callers take messages of 4 MiB unless told otherwise.
const MAX_BYTES: usize = 3 * 1024 * 1024;

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub size: u16,
    /// Only what comes after this place.
    pub after: Option<PageToken>,
}

/// The place of the last item of a page in its list, which is ordered by an instant or number and then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken {
    /// What the list is ordered by.
    pub key: i64,
    /// Tells items with the same key apart.
    pub id: Uuid,
}

/// How the tokens of pages by name begin, so that others are known as such.
const NAMED: &str = "name:";

/// Which page of a list is asked for that is ordered by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPage {
    /// At most so many.
    pub size: u16,
    /// Only what comes after this name.
    pub after: Option<String>,
}

impl NamedPage {
    /// How many names to read: one more than the page holds tells whether there is another.
    pub fn limit(&self) -> u64 {
        u64::from(self.size) + 1
    }

    /// Cuts names in their order to the page; gives the token of the next one, or an empty text.
    pub fn cut(&self, mut names: Vec<String>) -> (Vec<String>, String) {
        let size = usize::from(self.size);
        if names.len() <= size {
            return (names, String::new());
        }
        names.truncate(size);
        let token = names.last().map(|last| URL_SAFE_NO_PAD.encode(format!("{NAMED}{last}"))).unwrap_or_default();
        (names, token)
    }
}

impl PageToken {
    /// The opaque text.
    pub fn encode(&self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.key.to_be_bytes());
        bytes[8..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The opaque text of a place in a list that is another for each request, of which this is a fingerprint.
    pub fn encode_of(&self, fingerprint: u64) -> String {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&fingerprint.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.key.to_be_bytes());
        bytes[16..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place, and the fingerprint of the request to whose list it belongs.
    fn decode_of(text: &str) -> Option<(Self, u64)> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (fingerprint, place) = bytes.split_at(8);
        let (key, id) = place.split_at(8);
        let place = PageToken { key: i64::from_be_bytes(key.try_into().ok()?), id: Uuid::from_slice(id).ok()? };
        Some((place, u64::from_be_bytes(fingerprint.try_into().ok()?)))
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (key, id) = bytes.split_at(8);
        Some(PageToken { key: i64::from_be_bytes(key.try_into().ok()?), id: Uuid::from_slice(id).ok()? })
    }
}

impl Page {
    /// How many rows to read: one more than the page holds tells whether there is another.
    pub fn limit(&self) -> u64 {
        u64::from(self.size) + 1
    }

    /// Cuts what was read to the page; gives the token of the next one, or an empty text.
    pub fn cut<T>(&self, mut rows: Vec<T>, place: impl Fn(&T) -> PageToken) -> (Vec<T>, String) {
        let size = usize::from(self.size);
        if rows.len() <= size {
            return (rows, String::new());
        }
        rows.truncate(size);
        let token = rows.last().map(|last| place(last).encode()).unwrap_or_default();
        (rows, token)
    }
}

impl Page {
    /// The same as [`Page::cut`] of a list that is another for each request.
    pub fn cut_of<T>(&self, rows: Vec<T>, place: impl Fn(&T) -> PageToken, fingerprint: u64) -> (Vec<T>, String) {
        let is_last = rows.len() <= usize::from(self.size);
        let (rows, _) = self.cut(rows, &place);
        let next = rows.last().filter(|_| !is_last).map(|last| place(last).encode_of(fingerprint));
        (rows, next.unwrap_or_default())
    }
}

/// Leaves out of a page what does not fit into one message; then the next page begins there. `places` are those of the
/// items, `next` the token so far.
pub fn fit<M: Message>(mut items: Vec<M>, places: &[PageToken], next: String) -> (Vec<M>, String) {
    let mut bytes = 0;
    let fits = |item: &M| {
        bytes += item.encoded_len();
        bytes <= MAX_BYTES
    };
    let fitting = items.iter().map(fits).take_while(|fits| *fits).count().max(1);
    if fitting >= items.len() {
        return (items, next);
    }
    items.truncate(fitting);
    (items, places.get(fitting - 1).map(PageToken::encode).unwrap_or(next))
}

impl Door {
    /// The same of a list that is ordered by a name.
    pub fn named_page(&mut self, size: i32, token: &str) -> NamedPage {
        let Page { size, .. } = self.page(size, "");
        let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
        let name = name.and_then(|name| name.strip_prefix(NAMED).map(ToOwned::to_owned));
        let after = name.filter(|name| !name.chars().any(char::is_control));
        if after.is_none() && !token.is_empty() {
            self.refuse("page_token", "NOT_A_TOKEN", "is not a token of this list");
        }
        NamedPage { size, after }
    }

    /// `page_size` and `page_token` of a list that is another for each request, of which this is a fingerprint; `default` is its
    /// size where none is said. The token of another request is refused.
    pub fn page_of(&mut self, size: i32, default: u16, token: &str, fingerprint: u64) -> Page {
        let size = if size == 0 { default.into() } else { size };
        let Page { size, .. } = self.page(size, "");
        let after = PageToken::decode_of(token);
        match after {
            None if !token.is_empty() => self.refuse("page_token", "NOT_A_TOKEN", "is not a token of this list"),
            Some((_, of)) if of != fingerprint => {
                self.refuse(
                    "page_token",
                    "OTHER_REQUEST",
                    "is of another request: only page_size and at_least may change",
                );
            }
            _ => {}
        }
        Page { size, after: after.map(|(place, _)| place) }
    }

    /// `page_size` and `page_token` of a list's request.
    pub fn page(&mut self, size: i32, token: &str) -> Page {
        if size < 0 {
            self.refuse("page_size", "OUT_OF_RANGE", "is negative");
        }
        let size = match u16::try_from(size).unwrap_or(MAX_SIZE) {
            0 => DEFAULT_SIZE,
            size => size.min(MAX_SIZE),
        };
        let after = PageToken::decode(token);
        if after.is_none() && !token.is_empty() {
            self.refuse("page_token", "NOT_A_TOKEN", "is not a token of this list");
        }
        Page { size, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_clamped_and_negative_ones_refused() {
        let size = |size| Door::open(|door| door.page(size, "")).map(|page| page.size).ok();
        assert_eq!(size(0), Some(50));
        assert_eq!(size(7), Some(7));
        assert_eq!(size(i32::MAX), Some(1_000));
        assert_eq!(size(-1), None);
    }

    #[test]
    fn what_does_not_fit_begins_the_next_page() {
        let place = |key| PageToken { key, id: Uuid::nil() };
        let places = [place(3), place(2), place(1)];
        let texts = |sizes: [usize; 3]| sizes.map(|size| "x".repeat(size)).to_vec();
        let size = |sizes| {
            let (page, next) = fit(texts(sizes), &places, "next".to_owned());
            (page.len(), next)
        };
        assert_eq!(size([1, 1, 1]), (3, "next".to_owned()));
        assert_eq!(size([MAX_BYTES / 2, MAX_BYTES / 3, MAX_BYTES / 2]), (2, place(2).encode()));
        assert_eq!(size([2 * MAX_BYTES, 1, 1]), (1, place(3).encode()));
        assert_eq!(fit(Vec::<String>::new(), &[], String::new()), (vec![], String::new()));
    }

    #[test]
    fn names_are_cut_and_come_back() {
        let page = |token: &str| Door::open(|door| door.named_page(2, token)).ok();
        let first = page("").expect("a page");
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(first.cut(names(&["a", "é"])), (names(&["a", "é"]), String::new()));
        let (cut, next) = first.cut(names(&["a", "é", "z"]));
        assert_eq!((cut, page(&next).and_then(|page| page.after)), (names(&["a", "é"]), Some("é".to_owned())));
        for garbage in ["not a token", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(page(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn tokens_of_a_request_are_good_for_it_alone() {
        let place = PageToken { key: 5, id: Uuid::from_u128(7) };
        let page = |size, token: &str| Door::open(|door| door.page_of(size, 100, token, 42)).ok();
        assert_eq!(page(0, "").map(|page| (page.size, page.after)), Some((100, None)));
        assert_eq!(page(2_000, &place.encode_of(42)).map(|page| (page.size, page.after)), Some((1_000, Some(place))));
        for token in [place.encode_of(43), place.encode(), "garbage".to_owned()] {
            assert_eq!(page(1, &token), None, "{token}");
        }
        let first = page(2, "").expect("a page");
        let place = |key: &i64| PageToken { key: *key, id: Uuid::nil() };
        assert_eq!(first.cut_of(vec![1, 2], place, 42), (vec![1, 2], String::new()));
        assert_eq!(first.cut_of(vec![1, 2, 3], place, 42), (vec![1, 2], place(&2).encode_of(42)));
    }

    #[test]
    fn tokens_come_back_as_they_went() {
        let token = PageToken { key: -5, id: Uuid::from_u128(7) };
        let page = Door::open(|door| door.page(1, &token.encode())).ok();
        assert_eq!(page.and_then(|page| page.after), Some(token));
        assert!(Door::open(|door| door.page(1, "garbage")).is_err());
    }
}
