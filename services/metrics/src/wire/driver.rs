//! Key drivers as messages.

use barometer_proto::metrics::v1::{self as wire, driver};

use super::transition::count;
use crate::analysis::drivers::{Driver, KeyDrivers, Share};

/// Key drivers, of the drivers that were asked for.
pub(crate) fn drivers(
    found: Vec<KeyDrivers>,
    drivers: &[Driver],
    freshness: Vec<wire::Freshness>,
) -> wire::QueryDriversResponse {
    let key_drivers = found.into_iter().map(|of| key_drivers(of, drivers)).collect();
    wire::QueryDriversResponse { key_drivers, freshness }
}

fn key_drivers(of: KeyDrivers, drivers: &[Driver]) -> wire::KeyDrivers {
    let KeyDrivers { group, state, answers, anonymous, complete, outcome_mean, r_squared, rank, shares } = of;
    wire::KeyDrivers {
        group: group.into_iter().collect(),
        state: state.into(),
        answers: count(answers),
        anonymous: count(anonymous),
        complete: count(complete),
        outcome_mean,
        r_squared,
        rank: i32::try_from(rank).unwrap_or(i32::MAX),
        drivers: drivers.iter().zip(shares).map(|(driver, of)| share(driver, of)).collect(),
    }
}

fn share(driver: &Driver, of: Share) -> wire::DriverShare {
    let Share { state, share, correlation, mean, missing } = of;
    let driver = match driver {
        Driver::Fact(fact) => driver::Driver::Fact((*fact).into()),
        Driver::Dimension(name) => driver::Driver::Dimension(name.clone()),
    };
    let driver = Some(wire::Driver { driver: Some(driver) });
    wire::DriverShare { driver, state: state.into(), share, correlation, mean, missing: count(missing) }
}
