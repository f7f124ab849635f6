//! Figures of facts that a program holds itself: without feeds, snapshots and a server.

use std::{collections::BTreeMap, path::Path};

use barometer_chassis::{door::Door, error::Error};
use barometer_proto::{customers::v1 as customers, metrics::v1 as wire, surveys::v1 as surveys};

use crate::{
    analysis::{moves, retention, states, survival},
    catalogue,
    columns::{Facts, Unreadable, cold::ColdFiles},
    query::{self, Looked, Setting, Vocabulary, Zones},
    wire as render,
};

/// Folded facts and their figures, as the service folds and answers. For benchmarks and tools.
#[derive(Debug)]
pub struct Memory {
    facts: Facts,
    zones: Zones,
    cold: Option<ColdFiles>,
    /// Metrics that were defined, by id.
    defined: BTreeMap<String, Looked>,
}

impl Memory {
    /// Without any fact.
    ///
    /// # Errors
    /// When `reporting_time_zone` is no IANA name.
    pub fn new(reporting_time_zone: &str) -> Result<Self, Error> {
        let zones = Zones::new(reporting_time_zone).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Memory { facts: Facts::default(), zones, cold: None, defined: BTreeMap::new() })
    }

    /// Without any fact, and with the columns that no figure reads in files of a directory, which is emptied.
    ///
    /// # Errors
    /// As of [`new`](Self::new), and when the directory cannot be made.
    pub fn with_files(reporting_time_zone: &str, directory: &Path) -> Result<Self, Error> {
        let cold = ColdFiles::new(directory, 0).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Memory { cold: Some(cold), ..Self::new(reporting_time_zone)? })
    }

    /// Moves columns into files, if there are any to go into; the service does after each batch of facts.
    pub fn move_columns(&mut self) {
        if let Some(cold) = &self.cold {
            cold.keep(&mut self.facts);
        }
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

    /// Defines a metric, in its first version: from then on queries may name it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn define(&mut self, definition: wire::Definition) -> Result<(), Error> {
        let vocabulary = self.vocabulary();
        let parsed = Door::open(|door| render::definition::parse(door, definition, &vocabulary))?;
        let made = parsed.and_then(|(id, definition)| Some((catalogue::define(&id, 1, &definition)?, id)));
        let (metric, id) = made.ok_or_else(|| Error::Internal("a definition was refused without a word".to_owned()))?;
        self.defined.insert(id, Looked::Found(metric));
        Ok(())
    }

    /// Answers a query over what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the query.
    pub fn query(&self, request: wire::QueryMetricsRequest) -> Result<Vec<wire::MetricResult>, Error> {
        let query = query::parse(request, &self.vocabulary(), &self.zones, Setting::WHOLE)?;
        Ok(query.run(&self.facts)?.into_iter().map(render::result).collect())
    }

    /// Answers cohorts over what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub fn retention(&self, request: wire::QueryRetentionRequest) -> Result<wire::QueryRetentionResponse, Error> {
        let retention = retention::parse(request, &self.vocabulary(), &self.zones, 0)?;
        Ok(render::analysis::retention(retention.run(&self.facts)?, retention.level, Vec::new()))
    }

    /// Answers survival curves over what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub fn survival(&self, request: wire::QuerySurvivalRequest) -> Result<wire::QuerySurvivalResponse, Error> {
        let survival = survival::parse(request, &self.vocabulary(), &self.zones, 0)?;
        Ok(render::analysis::survival(survival.run(&self.facts)?, survival.level, Vec::new()))
    }

    /// Answers a page of where customers stand by what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub fn states(&self, request: wire::ListCustomerStatesRequest) -> Result<wire::ListCustomerStatesResponse, Error> {
        let wire::ListCustomerStatesRequest { filter, view, page_size, page_token } = request;
        let vocabulary = self.vocabulary();
        let states = states::parse(view, |door| {
            let filter = states::parse_filter(door, filter, &vocabulary);
            states::Who::Page(filter, door.page(page_size, &page_token))
        })?;
        Ok(render::state::page(states.run(&self.facts)?))
    }

    /// Answers a page of how customers moved by what was folded so far; `at_least` means nothing here.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub fn moves(&self, request: wire::ListCategoryMovesRequest) -> Result<wire::ListCategoryMovesResponse, Error> {
        let moves = moves::parse(request, &self.vocabulary(), &self.zones)?;
        Ok(render::transition::moves(moves.run(&self.facts)?))
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::of(&self.facts).with(self.defined.clone())
    }
}

fn refuse(unreadable: Unreadable) -> Error {
    Error::Internal(unreadable.to_string())
}

#[cfg(test)]
mod tests {
    use barometer_proto::{
        customers::v1::{CustomerFact, FactKind, PurchaseFact, Tombstone, fact::Fact},
        metrics::v1::{QueryMetricsRequest, QueryRetentionRequest},
    };
    use prost_types::Timestamp;
    use uuid::Uuid;

    use super::*;

    const CUSTOMERS: u32 = 500;
    const PURCHASES: u32 = 9_000;
    const START: i64 = 1_700_000_000;

    fn id(number: u32) -> String {
        Uuid::from_u128(u128::from(number) + 1).to_string()
    }

    fn fact(number: u32, version: i64, fact: Fact) -> customers::Fact {
        let number_of = i64::from(number) + 1;
        customers::Fact { id: id(number), number: number_of, version, fact: Some(fact), ..customers::Fact::default() }
    }

    fn purchase(index: u32, version: i64, days: i64) -> customers::Fact {
        let purchase = PurchaseFact {
            customer_id: id(index * 7 % CUSTOMERS),
            time: Some(Timestamp { seconds: START + days * 86_400, nanos: 0 }),
            amount: Some(barometer_proto::common::v1::Money { currency_code: "EUR".to_owned(), units: 5, nanos: 0 }),
            ..PurchaseFact::default()
        };
        fact(CUSTOMERS + index, version, Fact::Purchase(purchase))
    }

    /// Every third purchase is amended and every eleventh withdrawn; older versions come once more.
    fn script() -> Vec<customers::Fact> {
        let known = (0..CUSTOMERS).map(|index| fact(index, 1, Fact::Customer(CustomerFact::default())));
        let mut script: Vec<_> = known.collect();
        script.extend((0..PURCHASES).map(|index| purchase(index, 1, i64::from(index % 600))));
        script.extend((0..PURCHASES).step_by(3).map(|index| purchase(index, 2, i64::from(index % 90))));
        script.extend(
            (0..PURCHASES).step_by(11).map(|index| {
                fact(CUSTOMERS + index, 3, Fact::Tombstone(Tombstone { kind: FactKind::Purchase.into() }))
            }),
        );
        script.extend((0..PURCHASES).step_by(6).map(|index| purchase(index, 1, i64::from(index % 600))));
        script
    }

    fn told(memory: &Memory) -> (Vec<wire::MetricResult>, Vec<wire::Cohort>) {
        let metrics = ["purchases", "revenue", "churn_rate", "lifecycle"].map(str::to_owned).to_vec();
        let day = |days: i64| Some(Timestamp { seconds: START + days * 86_400, nanos: 0 });
        let request = QueryMetricsRequest {
            metrics,
            granularity: wire::Granularity::Month.into(),
            start_time: day(0),
            end_time: day(700),
            ..QueryMetricsRequest::default()
        };
        let cohorts = memory.retention(QueryRetentionRequest::default()).expect("cohorts").cohorts;
        (memory.query(request).expect("figures"), cohorts)
    }

    #[test]
    fn figures_are_the_same_wherever_columns_are() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut in_memory = Memory::new("UTC").expect("a zone");
        let mut in_files = Memory::with_files("UTC", directory.path()).expect("a directory");
        let (mut files, mut asked) = (0, 0);
        for (index, fact) in script().into_iter().enumerate() {
            in_memory.put_customers(fact.clone()).expect("understood");
            in_files.put_customers(fact).expect("understood");
            if index % 500 == 0 {
                in_files.move_columns();
                files = std::fs::read_dir(directory.path()).expect("there").count();
            }
            // The first time makes what is kept for cohorts; what comes then must change it.
            if index % 4_000 == 1 {
                assert_eq!(told(&in_files), told(&in_memory), "after {index} facts");
                asked += 1;
            }
        }
        assert_eq!((files, asked), (3, 4), "number, version and id of purchases, which alone are many");
        let figures = told(&in_files);
        assert_eq!(figures, told(&in_memory));
        let mut afresh = Memory::new("UTC").expect("a zone");
        script().into_iter().for_each(|fact| afresh.put_customers(fact).expect("understood"));
        assert_eq!(figures, told(&afresh), "nothing was asked on the way");
    }
}
