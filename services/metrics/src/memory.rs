//! Figures of facts that a program holds itself: without feeds, snapshots and a server.

use barometer_chassis::error::Error;
use barometer_proto::{customers::v1 as customers, metrics::v1 as wire, surveys::v1 as surveys};

use crate::{
    analysis::{retention, survival},
    columns::{Facts, Unreadable},
    query::{self, Setting, Vocabulary, Zones},
    wire as render,
};

/// Folded facts and their figures, as the service folds and answers. For benchmarks and tools.
#[derive(Debug)]
pub struct Memory {
    facts: Facts,
    zones: Zones,
}

impl Memory {
    /// Without any fact.
    ///
    /// # Errors
    /// When `reporting_time_zone` is no IANA name.
    pub fn new(reporting_time_zone: &str) -> Result<Self, Error> {
        let zones = Zones::new(reporting_time_zone).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Memory { facts: Facts::default(), zones })
    }

    /// Folds a fact of the customers service in.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub fn put_customers(&mut self, fact: customers::Fact) -> Result<(), Error> {
        self.facts.put_customers(fact).map_err(refuse)
    }

    /// Folds a fact of the surveys service in.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub fn put_surveys(&mut self, fact: surveys::Fact) -> Result<(), Error> {
        self.facts.put_surveys(fact).map_err(refuse)
    }

    /// Answers a query over what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the query.
    pub fn query(&self, request: wire::QueryMetricsRequest) -> Result<Vec<wire::MetricResult>, Error> {
        let query = query::parse(request, &Vocabulary::of(&self.facts), &self.zones, Setting::WHOLE)?;
        Ok(query.run(&self.facts)?.into_iter().map(render::result).collect())
    }

    /// Answers cohorts over what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub fn retention(&self, request: wire::QueryRetentionRequest) -> Result<wire::QueryRetentionResponse, Error> {
        let retention = retention::parse(request, &Vocabulary::of(&self.facts), &self.zones, 0)?;
        Ok(render::analysis::retention(retention.run(&self.facts)?, retention.level, Vec::new()))
    }

    /// Answers survival curves over what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub fn survival(&self, request: wire::QuerySurvivalRequest) -> Result<wire::QuerySurvivalResponse, Error> {
        let survival = survival::parse(request, &Vocabulary::of(&self.facts), &self.zones, 0)?;
        Ok(render::analysis::survival(survival.run(&self.facts)?, survival.level, Vec::new()))
    }
}

fn refuse(unreadable: Unreadable) -> Error {
    Error::Internal(unreadable.to_string())
}
