//! Every method of the incidents of complaints.

use barometer_proto::{
    common::v1::ExternalId,
    complaints::v1::{
        AddAffectedCustomersRequest, AddCustomersByAttributeRequest, Case, CloseIncidentRequest, CreateWebhookRequest,
        GetIncidentRequest, Incident, IncidentRule, LinkToIncidentRequest, ListAffectedCustomersRequest,
        ListAffectedCustomersResponse, ListIncidentCasesRequest, ListIncidentCasesResponse, ListIncidentTasksRequest,
        ListIncidentTasksResponse, ListIncidentsRequest, ListIncidentsResponse, OpenCaseRequest, OpenIncidentRequest,
        SendIncidentMessageRequest, UnlinkFromIncidentRequest, Webhook,
    },
};
use barometer_tests::samples::{case, webhook};

use crate::caller::{Caller, MARK};

const SERVICE: &str = "barometer.complaints.v1.IncidentService";

pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("{SERVICE}/{name}");
    let hook = webhook("of incidents", "https://receiver.invalid/hook");
    let create = CreateWebhookRequest { webhook: Some(hook), request_id: String::new() };
    let _: Webhook = caller.call("barometer.complaints.v1.WebhookService/CreateWebhook", &create).await;
    let key = ExternalId { system: MARK.to_owned(), value: MARK.to_owned() };
    let rule = IncidentRule { words: vec!["mark7f3a".to_owned()], ..IncidentRule::default() };
    let incident = Incident {
        title: MARK.to_owned(),
        description: MARK.to_owned(),
        rule: Some(rule),
        external_id: Some(key.clone()),
        ..Incident::default()
    };
    let open = OpenIncidentRequest { incident: Some(incident), request_id: String::new() };
    let Incident { incident_id, .. } = caller.call(&method("OpenIncident"), &open).await;
    let id = || incident_id.clone();
    let _: Incident = caller.call(&method("GetIncident"), &GetIncidentRequest { incident_id: id() }).await;
    let _: ListIncidentsResponse = caller.call(&method("ListIncidents"), &ListIncidentsRequest::default()).await;
    let add = AddAffectedCustomersRequest { incident_id: id(), customer_keys: vec![key], ..Default::default() };
    let _: Incident = caller.call(&method("AddAffectedCustomers"), &add).await;
    let add = AddCustomersByAttributeRequest { incident_id: id(), tag: MARK.to_owned(), ..Default::default() };
    let _: Incident = caller.call(&method("AddCustomersByAttribute"), &add).await;
    let list = ListAffectedCustomersRequest { incident_id: id(), ..Default::default() };
    let _: ListAffectedCustomersResponse = caller.call(&method("ListAffectedCustomers"), &list).await;
    let send = SendIncidentMessageRequest { incident_id: id(), message: MARK.to_owned(), request_id: String::new() };
    let _: Incident = caller.call(&method("SendIncidentMessage"), &send).await;
    let case = OpenCaseRequest {
        case: Some(Case { description: MARK.to_owned(), customer: None, ..case("") }),
        ..Default::default()
    };
    let Case { case_id, .. } = caller.call("barometer.complaints.v1.ComplaintService/OpenCase", &case).await;
    let link = LinkToIncidentRequest { incident_id: id(), case_id: case_id.clone(), request_id: String::new() };
    let _: Incident = caller.call(&method("LinkToIncident"), &link).await;
    let unlink = UnlinkFromIncidentRequest { incident_id: id(), case_id, request_id: String::new() };
    let _: Incident = caller.call(&method("UnlinkFromIncident"), &unlink).await;
    let list = ListIncidentCasesRequest { incident_id: id(), ..Default::default() };
    let _: ListIncidentCasesResponse = caller.call(&method("ListIncidentCases"), &list).await;
    let close = CloseIncidentRequest { incident_id: id(), message: MARK.to_owned(), ..Default::default() };
    let _: Incident = caller.call(&method("CloseIncident"), &close).await;
    let list = ListIncidentTasksRequest { incident_id: id(), ..Default::default() };
    let _: ListIncidentTasksResponse = caller.call(&method("ListIncidentTasks"), &list).await;
}
