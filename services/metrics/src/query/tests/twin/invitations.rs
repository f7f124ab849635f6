//! Figures of invitations computed plainly.

use barometer_proto::surveys::v1::{InvitationFact, ResponseFact};

use super::super::Query;
use super::{Cells, Model, Shape, groups, micros};

impl Model {
    pub(in super::super) fn outcomes(&self, query: &Query) -> Vec<Shape> {
        let names = ["complete", "partial", "refusal", "non_contact", "other", "unknown", "pending", "not_eligible"];
        let mut cells = Cells::new(query, names, false);
        for (id, of) in &self.invitations {
            let sent = micros(of.time);
            let answers = self.responses.iter().filter(|(_, answer)| answer.invitation_id == *id);
            let first = answers.min_by_key(|(number, answer)| (micros(answer.time), *number));
            let came = came_of(of, first.map(|(_, answer)| answer), query.now);
            let values = |name: &str| match name {
                "channel" => vec![of.channel.clone()],
                "area" => vec![of.dimensions.get("area").cloned().unwrap_or_default()],
                "survey" => vec![self.surveys.get(&of.survey_id).map(|survey| survey.name.clone()).unwrap_or_default()],
                _ => self.attribute(name, &of.customer_id, sent),
            };
            for group in groups(query, &values) {
                cells.count(sent, &group, names.iter().position(|name| *name == came), 0);
            }
        }
        cells.shapes()
    }
}

fn came_of(of: &InvitationFact, answer: Option<&ResponseFact>, now: i64) -> &'static str {
    let said = ["", "pending", "complete", "partial", "refusal", "non_contact", "other", "unknown", "not_eligible"];
    if of.told_outcome != 0 {
        return said[usize::try_from(of.told_outcome).expect("an outcome")];
    }
    if let Some(answer) = answer {
        return match (answer.score, answer.disposition) {
            (Some(_), _) => "complete",
            (None, 4) => "partial",
            (None, _) => "refusal",
        };
    }
    if micros(of.expire_time) > now {
        "pending"
    } else if of.begin_time.is_some() {
        "partial"
    } else if of.customer_id.is_empty() && of.deliver_time.is_none() {
        "unknown"
    } else {
        "non_contact"
    }
}
