//! Attachments: message ⇄ value.

use barometer_chassis::door::Door;
use barometer_proto::complaints::v1 as wire;

use crate::case::{Attachment, Attachments};

/// The most attachments of one message.
const MAX_ATTACHMENTS: usize = 16;

/// Attachments of a message.
pub(crate) fn parse_attachments(door: &mut Door, attachments: Vec<wire::Attachment>) -> Attachments {
    let parse = |door: &mut Door, attachment: wire::Attachment| {
        let wire::Attachment { uri, media_type, name } = attachment;
        let uri = door.required_text("uri", uri, 2_048);
        if let Some(refusal) = Attachment::refusal(&uri).filter(|_| !uri.is_empty()) {
            door.refuse("uri", "NOT_A_REFERENCE", refusal);
        }
        if !media_type.is_empty() && !Attachment::is_media_type(&media_type) {
            door.refuse("media_type", "NOT_A_MEDIA_TYPE", "is no media type such as `image/jpeg`");
        }
        let media_type = door.text("media_type", media_type, 127);
        Attachment { uri, media_type, name: door.text("name", name, 256) }
    };
    Attachments(door.each("attachments", attachments, MAX_ATTACHMENTS, parse))
}

/// Attachments for callers.
pub(crate) fn render_attachments(attachments: Attachments) -> Vec<wire::Attachment> {
    let render = |Attachment { uri, media_type, name }| wire::Attachment { uri, media_type, name };
    attachments.0.into_iter().map(render).collect()
}
