//! Every method of the definitions.

use barometer_proto::metrics::v1::{
    CreateDefinitionRequest, Definition, Filter, GetDefinitionRequest, ListDefinitionVersionsRequest,
    ListDefinitionVersionsResponse, ListDefinitionsRequest, ListDefinitionsResponse, RestoreDefinitionRequest,
    RetireDefinitionRequest, ReviseDefinitionRequest, Variant, definition::Expression,
};

use crate::caller::Caller;

/// Calls them.
pub(crate) async fn call_all(caller: &mut Caller) {
    let method = |name: &str| format!("barometer.metrics.v1.DefinitionService/{name}");
    let of = |channel: &str| {
        let filters =
            vec![Filter { dimension: "channel".to_owned(), values: vec![channel.to_owned()], exclude: false }];
        let variant = Variant { metric: "nps".to_owned(), filters, ..Default::default() };
        let definition = Definition {
            id: "custom.of_a_channel".to_owned(),
            title: "Of a channel".to_owned(),
            description: "Net promoter score of a channel.".to_owned(),
            expression: Some(Expression::Variant(variant)),
            ..Default::default()
        };
        Some(definition)
    };
    let create = CreateDefinitionRequest { definition: of("web"), request_id: String::new() };
    let Definition { id, .. } = caller.call(&method("CreateDefinition"), &create).await;
    let revise = ReviseDefinitionRequest { definition: of("app"), request_id: String::new() };
    let _: Definition = caller.call(&method("ReviseDefinition"), &revise).await;
    let get = GetDefinitionRequest { id: id.clone(), version: 1 };
    let _: Definition = caller.call(&method("GetDefinition"), &get).await;
    let list = ListDefinitionsRequest::default();
    let _: ListDefinitionsResponse = caller.call(&method("ListDefinitions"), &list).await;
    let list = ListDefinitionVersionsRequest { id: id.clone(), ..Default::default() };
    let _: ListDefinitionVersionsResponse = caller.call(&method("ListDefinitionVersions"), &list).await;
    let retire = RetireDefinitionRequest { id: id.clone(), ..Default::default() };
    let _: Definition = caller.call(&method("RetireDefinition"), &retire).await;
    let restore = RestoreDefinitionRequest { id, ..Default::default() };
    let _: Definition = caller.call(&method("RestoreDefinition"), &restore).await;
}
