//! The feeds of the services that keep facts, behind one face.

use std::pin::Pin;

use barometer_proto::{
    complaints::v1::{self as complaints, complaint_service_client::ComplaintServiceClient},
    customers::v1::{self as customers, cost_fact, customer_service_client::CustomerServiceClient},
    surveys::v1::{self as surveys, survey_service_client::SurveyServiceClient},
};
use futures_util::{Stream, StreamExt};
use tonic::{Status, transport::Channel};

use super::{Shown, recorded::number};

/// A fact of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fed {
    pub(crate) id: String,
    pub(crate) number: i64,
    pub(crate) version: i64,
    pub(crate) state: State,
}

/// What a feed says of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// One of a kind that callers record.
    Live(Shown),
    /// The fact was withdrawn.
    Tombstone,
    /// One of another kind: a customer, a survey, an entry of a case.
    Other,
}

/// A batch of a feed.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) facts: Vec<Fed>,
    pub(crate) position: String,
    pub(crate) caught_up: bool,
}

/// An open feed.
pub(crate) type Batches = Pin<Box<dyn Stream<Item = Result<Batch, Status>> + Send>>;

/// Opens the feed of a service after a position.
pub(crate) async fn open(service: &str, to: Channel, after: String) -> Result<Batches, Status> {
    const LARGEST: usize = 8 * 1024 * 1024;
    if service == "surveys" {
        let request = surveys::WatchFactsRequest { kinds: Vec::new(), after };
        let mut client = SurveyServiceClient::new(to).max_decoding_message_size(LARGEST);
        let batches = client.watch_facts(request).await?.into_inner();
        return Ok(Box::pin(batches.map(|batch| {
            let surveys::WatchFactsResponse { facts, position, caught_up, .. } = batch?;
            Ok(Batch { facts: facts.into_iter().map(of_surveys).collect(), position, caught_up })
        })));
    }
    if service == "complaints" {
        let request = complaints::WatchFactsRequest { kinds: Vec::new(), after };
        let mut client = ComplaintServiceClient::new(to).max_decoding_message_size(LARGEST);
        let batches = client.watch_facts(request).await?.into_inner();
        return Ok(Box::pin(batches.map(|batch| {
            let complaints::WatchFactsResponse { facts, position, caught_up, .. } = batch?;
            Ok(Batch { facts: facts.into_iter().map(of_complaints).collect(), position, caught_up })
        })));
    }
    let request = customers::WatchFactsRequest { kinds: Vec::new(), after };
    let mut client = CustomerServiceClient::new(to).max_decoding_message_size(LARGEST);
    let batches = client.watch_facts(request).await?.into_inner();
    Ok(Box::pin(batches.map(|batch| {
        let customers::WatchFactsResponse { facts, position, caught_up, .. } = batch?;
        Ok(Batch { facts: facts.into_iter().map(of_customers).collect(), position, caught_up })
    })))
}

fn of_surveys(fact: surveys::Fact) -> Fed {
    use surveys::fact::Fact;
    let surveys::Fact { id, number: place, version, fact, write_time: _ } = fact;
    let state = match fact {
        Some(Fact::Response(response)) => State::Live(Shown {
            number: number(&response.dimensions),
            turn: response.touchpoint,
            value: i64::from(response.score.unwrap_or(-1)),
            customer_id: response.customer_id,
        }),
        Some(Fact::Tombstone(_)) => State::Tombstone,
        Some(Fact::Survey(_) | Fact::Invitation(_)) | None => State::Other,
    };
    Fed { id, number: place, version, state }
}

fn of_complaints(fact: complaints::Fact) -> Fed {
    use complaints::fact::Fact;
    let complaints::Fact { id, number: place, version, fact, write_time: _ } = fact;
    let state = match fact {
        Some(Fact::Case(case)) => State::Live(Shown {
            number: number(&case.dimensions),
            turn: case.product,
            value: 0,
            customer_id: case.customer_id,
        }),
        Some(Fact::Tombstone(_)) => State::Tombstone,
        Some(
            Fact::CaseEntry(_)
            | Fact::CaseClock(_)
            | Fact::Escalation(_)
            | Fact::Promise(_)
            | Fact::FollowUp(_)
            | Fact::Incident(_)
            | Fact::Claim(_),
        )
        | None => State::Other,
    };
    Fed { id, number: place, version, state }
}

fn of_customers(fact: customers::Fact) -> Fed {
    use customers::fact::Fact;
    let customers::Fact { id, number: place, version, fact, write_time: _ } = fact;
    let live = |dimensions, turn, value, customer_id| {
        State::Live(Shown { number: number(&dimensions), turn, value, customer_id })
    };
    let state = match fact {
        Some(Fact::Purchase(fact)) => {
            live(fact.dimensions, fact.channel, fact.amount.map_or(0, |amount| amount.units), fact.customer_id)
        }
        Some(Fact::Interaction(fact)) => {
            live(fact.dimensions, fact.outcome, fact.handling_time.map_or(0, |time| time.seconds), fact.customer_id)
        }
        Some(Fact::AttributeChange(fact)) => live(fact.dimensions, fact.value, 0, fact.customer_id),
        Some(Fact::SubscriptionEvent(fact)) => {
            live(fact.dimensions, fact.plan, fact.monthly_amount.map_or(0, |amount| amount.units), fact.customer_id)
        }
        Some(Fact::MembershipEvent(fact)) => live(fact.dimensions, fact.programme, fact.points, fact.customer_id),
        Some(Fact::Referral(fact)) => {
            live(fact.dimensions, fact.campaign, fact.reward.map_or(0, |amount| amount.units), fact.customer_id)
        }
        Some(Fact::Cost(fact)) => {
            let amount = if let Some(cost_fact::Basis::Amount(amount)) = fact.basis { amount.units } else { 0 };
            live(fact.dimensions, fact.campaign, amount, fact.customer_id)
        }
        Some(Fact::Tombstone(_)) => State::Tombstone,
        Some(Fact::Customer(_)) | None => State::Other,
    };
    Fed { id, number: place, version, state }
}
