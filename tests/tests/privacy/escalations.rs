//! Every method of the escalations of complaints.

use std::time::Duration;

use barometer_proto::complaints::v1::{
    Escalation, GetEscalationRequest, ListEscalationsRequest, ListEscalationsResponse,
};

use crate::caller::Caller;

const SERVICE: &str = "barometer.complaints.v1.EscalationService";

/// Calls them, once a case has climbed a ladder.
#[allow(clippy::disallowed_methods, reason = "a step is taken when its time has come")]
pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let mut tries = 0;
    let taken: Escalation = loop {
        let list = ListEscalationsRequest::default();
        let ListEscalationsResponse { escalations, .. } = caller.call(&method("ListEscalations"), &list).await;
        if let Some(taken) = escalations.into_iter().next() {
            break taken;
        }
        tries += 1;
        assert!(tries < 600, "nothing is taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let get = GetEscalationRequest { escalation_id: taken.escalation_id };
    let _: Escalation = caller.call(&method("GetEscalation"), &get).await;
}
