//! Attachments: files that are kept elsewhere, by reference.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// A file that is kept elsewhere. Personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where it is.
    pub uri: String,
    /// What it is, as in RFC 6838; empty when nobody said.
    pub media_type: String,
    /// Its name for people.
    pub name: String,
}

/// Attachments in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Attachments(pub Vec<Attachment>);

impl Attachments {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Attachment {
    /// Why `uri` is none under which a file can be kept, if so.
    pub fn refusal(uri: &str) -> Option<&'static str> {
        let Some((scheme, rest)) = uri.split_once(':') else {
            return Some("is no absolute URI such as `s3://bucket/key`");
        };
        let well_formed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !well_formed || rest.is_empty() || uri.contains(char::is_whitespace) {
            return Some("is no absolute URI such as `s3://bucket/key`");
        }
        scheme.eq_ignore_ascii_case("data").then_some("is the file itself: only references are kept")
    }

    /// Whether `text` is a media type: a type and a subtype, perhaps with parameters.
    pub fn is_media_type(text: &str) -> bool {
        let (essence, _parameters) = text.split_once(';').unwrap_or((text, ""));
        let token =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c));
        essence.trim_end().split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_an_absolute_uri() {
        for good in ["https://files.example/1?a=b", "s3://bucket/key", "urn:uuid:0", "FILE:///x"] {
            assert_eq!(Attachment::refusal(good), None, "{good}");
        }
        for bad in ["", "x", "/a/b", "1s:x", "s3:", "https://a b", ":x", "s 3://x"] {
            assert_eq!(Attachment::refusal(bad), Some("is no absolute URI such as `s3://bucket/key`"), "{bad}");
        }
        assert_eq!(Attachment::refusal("Data:,x"), Some("is the file itself: only references are kept"));
    }

    #[test]
    fn a_media_type_has_two_parts() {
        for good in ["image/jpeg", "application/vnd.api+json", "text/plain; charset=utf-8"] {
            assert!(Attachment::is_media_type(good), "{good}");
        }
        for bad in ["", "jpeg", "image/", "/jpeg", "image/jp eg", "a/b/c", "; a/b"] {
            assert!(!Attachment::is_media_type(bad), "{bad}");
        }
    }
}
