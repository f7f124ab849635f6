//! What the services list, against what callers were told.

use std::collections::{BTreeMap, HashMap};

use barometer_proto::customers::v1::{ListCustomersRequest, customer_service_client::CustomerServiceClient};

use super::{differences, direct, patiently};
use crate::{
    kinds::{Listed, Row},
    ledger::{Entry, Fate},
    load::Shared,
    world::World,
};

/// The facts of each kind by their id, as every replica lists them.
pub(super) struct Facts {
    pub(super) of_kind: Vec<BTreeMap<String, Listed>>,
}

impl Facts {
    /// Reads all facts from all replicas, which must agree.
    pub(super) async fn read(world: &World, shared: &Shared) -> Result<Self, Vec<String>> {
        let (mut of_kind, mut wrong) = (Vec::new(), Vec::new());
        for kind in &shared.kinds {
            let mut first: Option<BTreeMap<String, Listed>> = None;
            for process in world.replicas(kind.service()) {
                let to = direct(process).await;
                let listed = patiently(async || kind.list(to.clone()).await).await;
                let listed = listed.map_err(|status| vec![format!("{}: {status:?}", process.name)])?;
                let count = listed.len();
                let listed: BTreeMap<_, _> = listed.into_iter().map(|fact| (fact.id.clone(), fact)).collect();
                if listed.len() != count {
                    wrong.push(format!("{} lists {} facts twice", process.name, count - listed.len()));
                }
                match &first {
                    None => first = Some(listed),
                    Some(first) => wrong.extend(differences(&process.name, first, &listed)),
                }
            }
            of_kind.push(first.unwrap_or_default());
        }
        if wrong.is_empty() { Ok(Facts { of_kind }) } else { Err(wrong) }
    }

    /// The facts of a kind that were not withdrawn.
    pub(super) fn live(&self, kind: usize) -> impl Iterator<Item = &Listed> {
        self.of_kind[kind].values().filter(|fact| !fact.withdrawn)
    }

    /// Every acknowledged write is there as it was acknowledged, once; every other at most once; and nothing else.
    pub(super) fn compare(&self, shared: &Shared) -> Result<String, Vec<String>> {
        let inner = shared.ledger.lock();
        let (mut wrong, mut there, mut surprises) = (Vec::new(), 0_usize, 0_usize);
        for (nth, kind) in shared.kinds.iter().enumerate() {
            let mut of_number: HashMap<Option<u64>, Vec<&Listed>> = HashMap::new();
            for fact in self.of_kind[nth].values() {
                of_number.entry(fact.shown.number).or_default().push(fact);
            }
            there += self.of_kind[nth].len();
            for ((_, number), entry) in inner.entries.iter().filter(|((of, _), _)| *of == nth) {
                let found = of_number.remove(&Some(*number)).unwrap_or_default();
                match fate(entry, &found, |row| kind.value(row)) {
                    Ok(true) => surprises += 1,
                    Ok(false) => {}
                    Err(told) => wrong.push(format!("{} {number}: {told}", kind.name())),
                }
            }
            wrong.extend(of_number.values().flatten().map(|fact| format!("nobody wrote {fact:?}")));
        }
        let told = format!("{there}, {surprises} of them without an acknowledgement");
        if wrong.is_empty() { Ok(told) } else { Err(wrong) }
    }

    /// Every key has one customer, and every fact is the one's whose key it named.
    pub(super) async fn compare_customers(&self, world: &World, shared: &Shared) -> Result<String, Vec<String>> {
        let (mut wrong, mut keys) = (Vec::new(), HashMap::new());
        let Some(process) = world.replicas("customers").next() else { return Err(Vec::new()) };
        let mut client = CustomerServiceClient::new(direct(process).await).max_decoding_message_size(usize::MAX);
        let mut page_token = String::new();
        loop {
            let request = ListCustomersRequest { page_size: 1_000, page_token, ..Default::default() };
            let page = client.list_customers(request).await.map_err(|status| vec![status.to_string()])?.into_inner();
            for customer in page.customers {
                for key in customer.external_ids {
                    if let Some(other) = keys.insert(key.value.clone(), customer.customer_id.clone()) {
                        wrong.push(format!("{} has two customers: {other} and {}", key.value, customer.customer_id));
                    }
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let inner = shared.ledger.lock();
        for (nth, of_kind) in self.of_kind.iter().enumerate() {
            for fact in of_kind.values() {
                let entry = fact.shown.number.and_then(|number| inner.entries.get(&(nth, number)));
                let Some(entry) = entry else { continue };
                let key = entry.row.customer_key();
                let expected = key.as_ref().map_or(Some(""), |key| keys.get(key).map(String::as_str));
                if expected != Some(&fact.shown.customer_id) {
                    wrong.push(format!("{fact:?} is not of {key:?}"));
                }
            }
        }
        if wrong.is_empty() { Ok(format!("{} customers", keys.len())) } else { Err(wrong) }
    }
}

/// Whether what was found is one of what the ledger holds possible. Tells whether it is there without having been
/// acknowledged.
fn fate(entry: &Entry, found: &[&Listed], value: impl Fn(&Row) -> i64) -> Result<bool, String> {
    let fate = match found {
        [] => Fate::Absent,
        [fact] if fact.withdrawn => Fate::Withdrawn,
        [fact] => {
            let turn = fact.shown.turn.strip_prefix('t').and_then(|turn| turn.parse().ok());
            let turn = turn.ok_or_else(|| format!("its turn can not be read: {fact:?}"))?;
            let expected = value(&Row { turn, ..entry.row });
            if fact.shown.value != expected {
                return Err(format!("its value is not {expected}: {fact:?}"));
            }
            Fate::Turn(turn)
        }
        many => return Err(format!("is there {} times: {many:?}", many.len())),
    };
    match entry.possible.contains(&fate) {
        true => Ok(fate != Fate::Absent && entry.possible.len() > 1),
        false => Err(format!("is {fate:?}, but callers were told {:?}: {found:?}", entry.possible)),
    }
}
