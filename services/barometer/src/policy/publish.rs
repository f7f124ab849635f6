//! Putting policies into force, and what that would change for the cases that are open.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};

use barometer_chassis::{client::Channel, clock::Micros};
use barometer_proto::complaints::v1::{
    Calendar, ClockEffect, ClockKind, CreateCalendarRequest, GetCalendarRequest, GetPolicySetRequest,
    ListPolicyEffectsRequest, PolicyEffect, PolicySet, PublishPoliciesRequest, RebaseCasesRequest,
    UpdateCalendarRequest, clock::State, get_calendar_request::By, policy_service_client::PolicyServiceClient,
};
use prost_types::FieldMask;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use super::file::Written;
use crate::decimal::grouped;
use crate::endpoint::{Endpoint, request};
use crate::failure::Failure;
use crate::output::{Align, Table};

/// Cases of a page that are looked at.
const PAGE: i32 = 500;
/// Cases that one request names.
const MAX_NAMED: usize = 100;

/// What came of publishing a file.
pub(super) struct Published {
    /// The version of the policies that is in force.
    version: i64,
    /// Whether it came to be by it.
    policies: bool,
    /// Whether calendars changed, or came to be.
    calendars: bool,
}

impl fmt::Display for Published {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Published { version, policies, calendars } = self;
        match (policies, calendars) {
            (true, _) => write!(formatter, "published as version {version}"),
            (false, true) => write!(formatter, "calendars changed; version {version} of the policies stays in force"),
            (false, false) => write!(formatter, "nothing changed: version {version} is in force"),
        }
    }
}

/// The policies of a running suite.
pub(super) struct Office {
    client: PolicyServiceClient<Channel>,
    url: String,
}

impl Office {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        let client = PolicyServiceClient::new(endpoint.connect()?).max_decoding_message_size(usize::MAX);
        Ok(Office { client, url: endpoint.url() })
    }

    /// Publishes what a file says, its calendars first: those that the suite does not have are created, those that are
    /// others there get a new version.
    pub(super) async fn publish(&mut self, written: Written) -> Result<Published, Failure> {
        let (mut ids, mut calendars) = (BTreeMap::new(), false);
        for calendar in &written.calendars {
            let (id, changed) = self.keep(calendar).await?;
            ids.insert(calendar.name.clone(), id);
            calendars |= changed;
        }
        let before = self.version().await?;
        for name in written.named() {
            if !ids.contains_key(&name) {
                ids.insert(name.clone(), self.calendar(&name).await?.calendar_id);
            }
        }
        let policy_set = Some(PolicySet { policies: written.policies(&ids), ..PolicySet::default() });
        let request_id = Uuid::new_v4().to_string();
        let asked = PublishPoliciesRequest { policy_set, validate_only: false, request_id };
        let answer = self.client.publish_policies(request(asked)).await;
        let version = self.told(answer)?.version;
        Ok(Published { version, policies: version > before, calendars })
    }

    /// The version of the policies that is in force; 0 when none is.
    async fn version(&mut self) -> Result<i64, Failure> {
        match self.client.get_policy_set(request(GetPolicySetRequest { version: 0 })).await {
            Err(status) if status.code() == Code::NotFound => Ok(0),
            answer => Ok(self.told(answer)?.version),
        }
    }

    /// What a file would change for open cases. Its calendars have to be those of the suite.
    pub(super) async fn effects_of(&mut self, written: Written) -> Result<Effects, Failure> {
        let mut ids = BTreeMap::new();
        for name in written.named() {
            let there = self.find_calendar(&name).await?;
            let said = written.calendars.iter().find(|calendar| calendar.name == name);
            match (there, said) {
                (Some(there), None) => ids.insert(name, there.calendar_id),
                (Some(there), Some(said)) if is_same(said, &there) => ids.insert(name, there.calendar_id),
                // By the suite's calendar other clocks would be told than there will be.
                (_, Some(_)) => {
                    return Err(Failure::wrong_state(format!(
                        "what would change is told by calendars that are in force, and `{name}` is not, as the file has it: \
                     `policy publish` puts the file into force for new cases, and `policy rebase` then tells what it \
                     would change for the open ones"
                    )));
                }
                (None, None) => return Err(Failure::not_there(format!("there is no calendar `{name}`"))),
            };
        }
        self.effects(Some(PolicySet { policies: written.policies(&ids), ..PolicySet::default() }), &[]).await
    }

    /// What these policies would change for open cases, or what a re-base to the latest would: for these, or for all that are
    /// open.
    pub(super) async fn effects(
        &mut self,
        policy_set: Option<PolicySet>,
        case_ids: &[String],
    ) -> Result<Effects, Failure> {
        let mut effects = Effects::default();
        for case_ids in parts(case_ids) {
            let mut page_token = String::new();
            loop {
                let (policy_set, case_ids) = (policy_set.clone(), case_ids.clone());
                let asked = ListPolicyEffectsRequest { policy_set, page_size: PAGE, page_token, case_ids };
                let answer = self.client.list_policy_effects(request(asked)).await;
                let page = self.told(answer)?;
                effects.examined += u64::try_from(page.examined).unwrap_or_default();
                effects.skipped += u64::try_from(page.skipped).unwrap_or_default();
                page.effects.iter().for_each(|effect| effects.add(effect));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
        }
        Ok(effects)
    }

    /// Puts cases under the latest policies: these, or all that are open. Gives how many that changed.
    pub(super) async fn rebase(&mut self, case_ids: &[String], note: &str) -> Result<u64, Failure> {
        let mut rebased = 0;
        for case_ids in parts(case_ids) {
            let mut page_token = String::new();
            loop {
                let asked = RebaseCasesRequest {
                    case_ids: case_ids.clone(),
                    note: note.to_owned(),
                    page_size: PAGE,
                    page_token,
                    request_id: Uuid::new_v4().to_string(),
                };
                let answer = self.client.rebase_cases(request(asked)).await;
                let page = self.told(answer)?;
                rebased += u64::try_from(page.rebased).unwrap_or_default();
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
        }
        Ok(rebased)
    }

    /// The suite's calendar of a name, if it has one.
    async fn find_calendar(&mut self, name: &str) -> Result<Option<Calendar>, Failure> {
        let by = Some(By::Name(name.to_owned()));
        match self.client.get_calendar(request(GetCalendarRequest { by, version: 0 })).await {
            Err(status) if status.code() == Code::NotFound => Ok(None),
            answer => self.told(answer).map(Some),
        }
    }

    async fn calendar(&mut self, name: &str) -> Result<Calendar, Failure> {
        let by = Some(By::Name(name.to_owned()));
        let answer = self.client.get_calendar(request(GetCalendarRequest { by, version: 0 })).await;
        self.told(answer)
    }

    /// Sees to it that the suite has this calendar; gives its id, and whether it had not, or had another.
    async fn keep(&mut self, calendar: &Calendar) -> Result<(String, bool), Failure> {
        let by = Some(By::Name(calendar.name.clone()));
        let there = self.client.get_calendar(request(GetCalendarRequest { by, version: 0 })).await;
        let request_id = Uuid::new_v4().to_string();
        match there {
            Err(status) if status.code() == Code::NotFound => {
                let asked = CreateCalendarRequest { calendar: Some(calendar.clone()), request_id };
                let answer = self.client.create_calendar(request(asked)).await;
                Ok((self.told(answer)?.calendar_id, true))
            }
            there => {
                let there = self.told(there)?;
                let changed = !is_same(calendar, &there);
                if changed {
                    let Calendar { calendar_id, etag, .. } = there.clone();
                    let calendar = Some(Calendar { calendar_id, etag, ..calendar.clone() });
                    let paths = ["time_zone", "working_times", "holidays"].map(str::to_owned).to_vec();
                    let asked = UpdateCalendarRequest { calendar, update_mask: Some(FieldMask { paths }), request_id };
                    let answer = self.client.update_calendar(request(asked)).await;
                    self.told(answer)?;
                }
                Ok((there.calendar_id, changed))
            }
        }
    }

    fn told<A>(&self, answer: Result<Response<A>, Status>) -> Result<A, Failure> {
        answer.map(Response::into_inner).map_err(|status| Failure::of_status(&status, &self.url))
    }
}

/// Cases as requests name them: so many at a time, or none for all that are open. One that is named twice is one.
fn parts(case_ids: &[String]) -> Vec<Vec<String>> {
    if case_ids.is_empty() {
        return vec![Vec::new()];
    }
    let once: BTreeSet<String> = case_ids.iter().map(|id| id.to_lowercase()).collect();
    let once: Vec<String> = once.into_iter().collect();
    once.chunks(MAX_NAMED).map(<[String]>::to_vec).collect()
}

/// Whether two calendars say the same of working time.
fn is_same(these: &Calendar, those: &Calendar) -> bool {
    (&these.time_zone, &these.working_times, &these.holidays)
        == (&those.time_zone, &those.working_times, &those.holidays)
}

/// What other policies would change, counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// Open cases that were looked at.
    examined: u64,
    /// Those of them whose histories are too long.
    skipped: u64,
    /// How many would be bound to each policy that are bound to another, or to another version.
    policies: BTreeMap<String, u64>,
    clocks: BTreeMap<i32, Moved>,
}

/// What would change for the clocks of one kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Moved {
    earlier: u64,
    later: u64,
    started: u64,
    dropped: u64,
    breached: u64,
}

impl Effects {
    fn add(&mut self, effect: &PolicyEffect) {
        *self.policies.entry(effect.new_policy_name.clone()).or_default() += 1;
        for clock in &effect.clocks {
            self.clocks.entry(clock.kind).or_default().add(clock);
        }
    }

    fn changed(&self) -> u64 {
        self.policies.values().sum()
    }

    /// Writes it for people.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "open cases   {}", grouped(self.examined))?;
        writeln!(out, "would change {}", grouped(self.changed()))?;
        if self.skipped > 0 {
            writeln!(out, "passed over  {} with very long histories", grouped(self.skipped))?;
        }
        if self.policies.is_empty() {
            return Ok(());
        }
        let mut policies = Table::default();
        policies.column("cases", Align::Right);
        policies.column("would be bound to", Align::Left);
        for (name, count) in &self.policies {
            policies.row(vec![grouped(*count), name.clone()]);
        }
        writeln!(out)?;
        policies.write(out)?;
        let mut clocks = Table::default();
        clocks.column("clock", Align::Left);
        for title in ["earlier", "later", "new", "dropped", "breached by it"] {
            clocks.column(title, Align::Right);
        }
        for (kind, moved) in &self.clocks {
            let kind = ClockKind::try_from(*kind).unwrap_or_default();
            let name = kind.as_str_name().trim_start_matches("CLOCK_KIND_").to_lowercase();
            let Moved { earlier, later, started, dropped, breached } = moved;
            let counts = [earlier, later, started, dropped, breached].map(|count| grouped(*count));
            clocks.row(std::iter::once(name).chain(counts).collect());
        }
        writeln!(out)?;
        clocks.write(out)
    }
}

impl Moved {
    fn add(&mut self, clock: &ClockEffect) {
        let instant = |at: &Option<prost_types::Timestamp>| at.as_ref().and_then(Micros::from_wire);
        match (clock.state(), clock.new_state()) {
            (State::Unspecified, _) => self.started += 1,
            (_, State::Unspecified) => self.dropped += 1,
            _ => match (instant(&clock.due_time), instant(&clock.new_due_time)) {
                (Some(now), Some(then)) if then < now => self.earlier += 1,
                (Some(now), Some(then)) if then > now => self.later += 1,
                _ => {}
            },
        }
        self.breached += u64::from(clock.new_state() == State::Breached && clock.state() != State::Breached);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_named_a_hundred_at_a_time() {
        assert_eq!(parts(&[]), [Vec::<String>::new()]);
        let many: Vec<String> = (0..201).map(|number| format!("{number:03}")).collect();
        let sizes = |ids: &[String]| parts(ids).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!((sizes(&many), sizes(&[&many[..], &many[..]].concat())), (vec![100, 100, 1], vec![100, 100, 1]));
    }

    #[test]
    fn what_would_change_is_counted() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let clock = |state: State, due, new: State, new_due| ClockEffect {
            kind: ClockKind::FirstResponse.into(),
            instance: 1,
            state: state.into(),
            due_time: due,
            new_state: new.into(),
            new_due_time: new_due,
        };
        let effect = |clocks| PolicyEffect { new_policy_name: "all".to_owned(), clocks, ..PolicyEffect::default() };
        let mut effects = Effects { examined: 1_200, ..Effects::default() };
        effects.add(&effect(vec![
            clock(State::Running, at(9), State::Breached, at(3)),
            clock(State::Running, at(9), State::Running, at(12)),
        ]));
        effects.add(&effect(vec![
            clock(State::Unspecified, None, State::Running, at(12)),
            clock(State::Breached, at(1), State::Unspecified, None),
        ]));
        let mut out = Vec::new();
        effects.write(&mut out).expect("a vector takes everything");
        let told = String::from_utf8(out).expect("text");
        assert!(told.starts_with("open cases   1,200\nwould change 2\n"), "{told}");
        let words = told.lines().last().map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(words, Some(vec!["first_response", "1", "1", "1", "1", "1"]));
    }
}
