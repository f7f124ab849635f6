//! Figures of contacts computed plainly.

use super::super::Query;
use super::{Cells, Model, Shape, groups, micros};

impl Model {
    pub(in super::super) fn contacts(&self, query: &Query) -> Vec<Shape> {
        let mut cells = Cells::new(query, query.metrics[0].counts.iter().copied(), false);
        for of in &self.interactions {
            let (at, inbound, outcome) = (micros(of.time), of.direction == 1, of.outcome.as_str());
            let visits = inbound && (of.channel == "web" || of.channel == "shop" || !of.landing_page.is_empty());
            let sent = |hit: bool| {
                if inbound { vec![] } else { [Some(0).filter(|_| hit), Some(1)].into_iter().flatten().collect() }
            };
            let which = match query.metrics[0].id {
                "contacts" => vec![usize::from(!inbound)],
                "visits" => vec![0; usize::from(visits)],
                "conversion_rate" => sent(["answered", "converted", "solved"].contains(&outcome)),
                "offer_conversion_rate" => sent(outcome == "converted"),
                "unsubscribe_rate" => sent(outcome == "unsubscribed"),
                "open_rate" => sent(!["", "delivered", "bounced"].contains(&outcome)),
                "contact_time" => vec![0; usize::from(of.handling_time.is_some())],
                _ => unreachable!(),
            };
            let values = |name: &str| match name {
                "channel" => vec![of.channel.clone()],
                "campaign" => vec![of.campaign.clone()],
                "direction" => vec![if inbound { "inbound" } else { "outbound" }.to_owned()],
                "outcome" => vec![of.outcome.clone()],
                "area" => vec![of.dimensions.get("area").cloned().unwrap_or_default()],
                _ => self.attribute(name, &of.customer_id, at),
            };
            if which.is_empty() {
                continue;
            }
            for group in groups(query, &values) {
                cells.count(at, &group, which.iter().copied(), 0);
            }
        }
        cells.shapes()
    }

    /// The working times of contacts, in seconds.
    pub(in super::super) fn contact_seconds(&self) -> f64 {
        let told = self.interactions.iter().filter_map(|of| of.handling_time.as_ref());
        told.map(|time| f64::from(i32::try_from(time.seconds).expect("seconds"))).sum()
    }
}
