//! The RPCs on costs.

use barometer_chassis::{
    door::{Door, Page},
    fingerprint,
    import::Acknowledgements,
    layers::Principal,
    store::Batch,
};
use barometer_proto::customers::v1::{self as wire, CostKind, cost_service_server::CostService};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    Customers,
    recorded::{Common, equals},
    rpcs::serve_recorded,
};
use crate::{cost, noun::By};

serve_recorded! { CostService:
    cost, cost, costs, costs,
    record_cost RecordCostRequest Cost,
    import_costs ImportCostsRequest ImportCostsStream ImportCostsResponse CostRow,
    get_cost GetCostRequest get_cost_request CostId,
    list_costs ListCostsRequest ListCostsResponse,
    amend_cost AmendCostRequest,
    withdraw_cost WithdrawCostRequest cost_id;
}

/// Which costs a list is to hold.
fn costs(door: &mut Door, request: wire::ListCostsRequest) -> (Page, Condition) {
    let wire::ListCostsRequest {
        page_size,
        page_token,
        customer_id,
        start_time,
        end_time,
        show_withdrawn,
        kind,
        campaign,
    } = request;
    let (page, filter) =
        Common { page_size, page_token, customer_id, start_time, end_time, show_withdrawn }.parse(door);
    let kind: CostKind = door.optional_choice("kind", kind);
    let is_asked = kind != CostKind::Unspecified;
    let filter = filter
        .add_option(is_asked.then(|| Expr::col("kind").eq(i32::from(kind))))
        .add_option(equals(door, "campaign", campaign, 128));
    (page, filter)
}
