//! Every method of the promises of complaints.

use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{
        AmendPromiseRequest, AssignPromiseRequest, BreakPromiseRequest, Case, GetPromiseRequest, KeepPromiseRequest,
        ListPromisesRequest, ListPromisesResponse, MakePromiseRequest, MovePromiseRequest, OpenCaseRequest, Promise,
        WithdrawPromiseRequest, get_promise_request::By, promise::Customer,
    },
};
use barometer_tests::samples::{case, from_now, promise};
use uuid::Uuid;

use crate::caller::{Caller, MARK};

const SERVICE: &str = "barometer.complaints.v1.PromiseService";

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let key = ExternalId { system: MARK.to_owned(), value: MARK.to_owned() };
    let alone = Promise {
        customer: Some(Customer::CustomerKey(key.clone())),
        description: MARK.to_owned(),
        external_id: Some(key.clone()),
        ..promise("")
    };
    let make = MakePromiseRequest { promise: Some(alone), request_id: String::new() };
    let Promise { promise_id: alone, .. } = caller.call(&method("MakePromise"), &make).await;
    let get = GetPromiseRequest { by: Some(By::ExternalId(key)) };
    let _: Promise = caller.call(&method("GetPromise"), &get).await;

    let open = OpenCaseRequest { case: Some(case(&Uuid::new_v4().to_string())), request_id: String::new() };
    let Case { case_id, .. } = caller.call("barometer.complaints.v1.ComplaintService/OpenCase", &open).await;
    let in_case = Promise { case_id, customer: None, description: MARK.to_owned(), ..promise("") };
    let make = MakePromiseRequest { promise: Some(in_case), request_id: String::new() };
    let Promise { promise_id: id, .. } = caller.call(&method("MakePromise"), &make).await;
    let reason = || MARK.to_owned();
    let due_time = Some(from_now(3 * 86_400));
    let shift = MovePromiseRequest { promise_id: id.clone(), due_time, reason: reason(), ..Default::default() };
    let _: Promise = caller.call(&method("MovePromise"), &shift).await;
    let patch = Promise { promise_id: id.clone(), description: format!("{MARK} {MARK}"), ..Promise::default() };
    let amend = AmendPromiseRequest { promise: Some(patch), ..Default::default() };
    let _: Promise = caller.call(&method("AmendPromise"), &amend).await;
    let (promise_id, team) = (id.clone(), "legal".to_owned());
    let assign = AssignPromiseRequest { promise_id, team, note: reason(), ..Default::default() };
    let _: Promise = caller.call(&method("AssignPromise"), &assign).await;
    let keep = KeepPromiseRequest { promise_id: id.clone(), note: reason(), ..Default::default() };
    let _: Promise = caller.call(&method("KeepPromise"), &keep).await;
    let withdraw = WithdrawPromiseRequest { promise_id: id, reason: reason(), ..Default::default() };
    let _: Promise = caller.call(&method("WithdrawPromise"), &withdraw).await;
    let give_up = BreakPromiseRequest { promise_id: alone, reason: reason(), ..Default::default() };
    let _: Promise = caller.call(&method("BreakPromise"), &give_up).await;
    let _: ListPromisesResponse = caller.call(&method("ListPromises"), &ListPromisesRequest::default()).await;
}
