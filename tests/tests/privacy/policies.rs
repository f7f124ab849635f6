//! Every method of the calendars and policies of complaints.

use barometer_proto::complaints::v1::{
    Audience, Calendar, ClockKind, Conditions, CreateCalendarRequest, DescribedCase, GetCalendarRequest,
    GetPolicySetRequest, Holiday, Ladder, LadderStep, ListCalendarVersionsRequest, ListCalendarVersionsResponse,
    ListCalendarsRequest, ListCalendarsResponse, ListPolicyEffectsRequest, ListPolicyEffectsResponse,
    ListPolicySetsRequest, ListPolicySetsResponse, LoadHolidaysRequest, LookupPolicyRequest, LookupPolicyResponse,
    Policy, PolicySet, PublishPoliciesRequest, RebaseCasesRequest, RebaseCasesResponse, UpdateCalendarRequest,
    get_calendar_request::By, ladder_step::When, lookup_policy_request::Subject,
};
use barometer_tests::samples::{calendar, policy};

use crate::caller::{Caller, MARK};

const SERVICE: &str = "barometer.complaints.v1.PolicyService";

pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let holiday = Holiday { date: "2024-05-01".to_owned(), name: MARK.to_owned(), ..Holiday::default() };
    let marked = Calendar { name: MARK.to_owned(), holidays: vec![holiday], ..calendar("") };
    let create = CreateCalendarRequest { calendar: Some(marked), request_id: String::new() };
    let Calendar { calendar_id, .. } = caller.call(&method("CreateCalendar"), &create).await;
    let id = || calendar_id.clone();
    let patch = Calendar { calendar_id: id(), time_zone: "Europe/Chisinau".to_owned(), ..Calendar::default() };
    let update = UpdateCalendarRequest { calendar: Some(patch), ..Default::default() };
    let _: Calendar = caller.call(&method("UpdateCalendar"), &update).await;
    let icalendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{MARK}\r\nBEGIN:VEVENT\r\nUID:{MARK}\r\n\
         DTSTAMP:20240101T000000Z\r\nDTSTART;VALUE=DATE:20240601\r\nSUMMARY:{MARK}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let load =
        LoadHolidaysRequest { calendar_id: id(), icalendar: icalendar.into_bytes(), ..LoadHolidaysRequest::default() };
    let _: Calendar = caller.call(&method("LoadHolidays"), &load).await;
    let get = GetCalendarRequest { by: Some(By::CalendarId(id())), version: 1 };
    let _: Calendar = caller.call(&method("GetCalendar"), &get).await;
    let _: ListCalendarsResponse = caller.call(&method("ListCalendars"), &ListCalendarsRequest::default()).await;
    let list = ListCalendarVersionsRequest { calendar_id: id(), ..Default::default() };
    let _: ListCalendarVersionsResponse = caller.call(&method("ListCalendarVersions"), &list).await;

    // Names of policies are in figures; what they ask of a case is not.
    let conditions = Conditions { customer_tiers: vec![MARK.to_owned()], ..Conditions::default() };
    let first = Policy { conditions: Some(conditions), ..policy("first", &calendar_id) };
    let set = PolicySet {
        policies: vec![first, Policy { ladders: vec![ladder()], ..policy("all", &calendar_id) }],
        ..PolicySet::default()
    };
    let publish = PublishPoliciesRequest { policy_set: Some(set), ..Default::default() };
    let _: PolicySet = caller.call(&method("PublishPolicies"), &publish).await;
    let _: PolicySet = caller.call(&method("GetPolicySet"), &GetPolicySetRequest::default()).await;
    let _: ListPolicySetsResponse = caller.call(&method("ListPolicySets"), &ListPolicySetsRequest::default()).await;
    let described = DescribedCase { customer_tier: MARK.to_owned(), ..DescribedCase::default() };
    let lookup = LookupPolicyRequest { subject: Some(Subject::Case(described)), ..Default::default() };
    let _: LookupPolicyResponse = caller.call(&method("LookupPolicy"), &lookup).await;
    let set = PolicySet { policies: vec![policy(MARK, &calendar_id)], ..PolicySet::default() };
    let effects = ListPolicyEffectsRequest { policy_set: Some(set), ..ListPolicyEffectsRequest::default() };
    let _: ListPolicyEffectsResponse = caller.call(&method("ListPolicyEffects"), &effects).await;
    let rebase = RebaseCasesRequest { note: MARK.to_owned(), ..RebaseCasesRequest::default() };
    let _: RebaseCasesResponse = caller.call(&method("RebaseCases"), &rebase).await;
}

/// One step, for the first response.
fn ladder() -> Ladder {
    let when = Some(When::Percent(50));
    let step = LadderStep { when, notify: vec![Audience::Owner.into()], ..LadderStep::default() };
    Ladder { kind: ClockKind::FirstResponse.into(), steps: vec![step] }
}
