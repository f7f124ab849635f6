//! What happened to a case, from the first to the last.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{CaseEntry, CaseEntryType as Event, LinkType, Priority, ReplyType};
use jiff::tz::TimeZone;

use super::named::Named;
use super::summary::{acceptance, decided};
use super::words::{date, plain, tail, time};
use crate::output::{one_line, wrap};

/// Widest text under an entry.
const WIDTH: usize = 66;
/// Who acts when nobody said who it is.
const NOBODY: &str = "anonymous";

/// Writes entries, a line for each, under their days.
pub(super) fn write(
    entries: &[CaseEntry],
    cut: bool,
    named: &Named,
    texts: bool,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    if cut {
        writeln!(out, "(earlier entries are left out)")?;
    }
    let (mut day, mut broken) = (String::new(), HashSet::new());
    for entry in entries {
        let at = entry.time.as_ref().and_then(Micros::from_wire).unwrap_or_default();
        let today = date(at, zone);
        if today != day {
            writeln!(out, "{today}")?;
            day = today;
        }
        let by =
            if entry.actor.is_empty() || entry.actor == NOBODY { String::new() } else { format!("by {}", entry.actor) };
        let late = broken.contains(entry.promise_id.as_str());
        if entry.r#type() == Event::PromiseBroken {
            broken.insert(entry.promise_id.as_str());
        }
        let told = one_line(&told(entry, named, late));
        let by = one_line(&by);
        let (time, room) = (time(at, zone), WIDTH.saturating_sub(by.chars().count() + 1));
        let mut lines = wrap(&told, if told.chars().count() <= room { room } else { WIDTH });
        // Where who did it has no room beside what was done, it stands below.
        match lines.last_mut().filter(|last| last.chars().count() <= room) {
            Some(last) => *last = format!("{last}{by:>width$}", width = WIDTH + 1 - last.chars().count()),
            None => lines.push(format!("{by:>width$}", width = WIDTH + 1)),
        }
        for (index, line) in lines.iter().enumerate() {
            let time = if index == 0 { time.as_str() } else { "" };
            writeln!(out, "{}", format!("  {time:<10}{line}").trim_end())?;
        }
        if texts {
            for line in entry.text.lines().flat_map(|line| wrap(&one_line(line), WIDTH)) {
                writeln!(out, "            {line}")?;
            }
            for file in &entry.attachments {
                writeln!(out, "            [{}]", one_line(&file.uri))?;
            }
        }
    }
    Ok(())
}

/// What an entry says, in a few words; and whether the promise that it is about was broken before.
fn told(entry: &CaseEntry, named: &Named, broken: bool) -> String {
    let event = entry.r#type();
    match event {
        Event::Acknowledged => "customer told that it came in".to_owned(),
        Event::Responded => match entry.reply() {
            ReplyType::Holding => "holding response to the customer".to_owned(),
            ReplyType::Update => "update to the customer".to_owned(),
            ReplyType::Answer | ReplyType::Unspecified => "answer to the customer".to_owned(),
        },
        Event::CustomerWrote if entry.needs_no_answer => "customer wrote, asking for nothing".to_owned(),
        Event::CustomerWrote => "customer wrote".to_owned(),
        Event::AwaitedCustomer => "customer asked back; waits for the customer".to_owned(),
        Event::AwaitedThirdParty => "waits for a third party".to_owned(),
        Event::Resumed => "waits no longer".to_owned(),
        Event::SelfServed => "answered by self-service".to_owned(),
        Event::Annotated => "note".to_owned(),
        Event::Assigned => given(entry),
        Event::PromiseAssigned => format!("{} {}", promise(entry), given(entry)),
        Event::PromiseKept if broken => format!("{} kept late", promise(entry)),
        Event::Prioritized => {
            let name = |priority: Priority| plain(priority.as_str_name(), "PRIORITY_");
            format!("priority {}, was {}", name(entry.priority()), name(entry.previous_priority()))
        }
        Event::OutcomeSet => {
            let outcome = entry.outcome.as_ref().map(decided).unwrap_or_default();
            format!("decided: {outcome}")
        }
        Event::AcceptanceAsked => "customer asked whether it is solved".to_owned(),
        Event::AcceptanceRecorded => format!("solved? {}", acceptance(entry.acceptance(), entry.satisfaction)),
        Event::Linked | Event::Unlinked => {
            let kind = LinkType::try_from(entry.link).unwrap_or_default();
            let link = format!("{} {}", plain(kind.as_str_name(), "LINK_TYPE_"), entry.other_case_id);
            if event == Event::Linked { link } else { format!("no longer {link}") }
        }
        Event::Rebased => {
            let rebase = entry.rebase.clone().unwrap_or_default();
            format!("counted by policy {} (version {})", rebase.policy_name, rebase.policy_set_version)
        }
        Event::Merged => format!("merged into {}", entry.other_case_id),
        Event::Unmerged => format!("no longer merged into {}", entry.other_case_id),
        Event::Absorbed => format!("took in {}", entry.other_case_id),
        Event::Released => format!("let go of {}", entry.other_case_id),
        Event::Escalated => named.escalated(entry),
        Event::FollowUpEnded => format!("follow-up ended: {}", named.follow_up_outcome(entry)),
        Event::IncidentLinked => format!("part of the incident {}", named.incident(entry)),
        Event::IncidentUnlinked => format!("no longer part of the incident {}", named.incident(entry)),
        other if is_of_promise(other) => {
            format!("{} {}", promise(entry), plain(other.as_str_name(), "CASE_ENTRY_TYPE_PROMISE_"))
        }
        // It happened to all cases of the incident, when that was closed.
        other if !entry.incident_id.is_empty() => {
            format!("{} with the incident {}", plain(other.as_str_name(), "CASE_ENTRY_TYPE_"), named.incident(entry))
        }
        other => plain(other.as_str_name(), "CASE_ENTRY_TYPE_"),
    }
}

fn given(entry: &CaseEntry) -> String {
    match (entry.employee.as_str(), entry.team.as_str()) {
        ("", "") => "taken from whoever had it".to_owned(),
        (employee, "") => format!("given to {employee}"),
        ("", team) => format!("given to {team}"),
        (employee, team) => format!("given to {employee}, {team}"),
    }
}

fn is_of_promise(event: Event) -> bool {
    use Event::{
        PromiseAmended, PromiseBroken, PromiseDueSoon, PromiseKept, PromiseMade, PromiseMoved, PromiseWithdrawn,
    };
    matches!(
        event,
        PromiseMade | PromiseDueSoon | PromiseKept | PromiseBroken | PromiseMoved | PromiseAmended | PromiseWithdrawn
    )
}

/// Which promise it is about.
fn promise(entry: &CaseEntry) -> String {
    format!("promise {}", tail(&entry.promise_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(minutes: i64, event: Event) -> CaseEntry {
        let time = Some(Micros(minutes * 60 * Micros::SECOND).to_wire());
        CaseEntry { r#type: event.into(), time, actor: "anonymous".to_owned(), ..CaseEntry::default() }
    }

    #[test]
    fn entries_stand_under_their_days() {
        let assigned = CaseEntry {
            employee: "emp-4".to_owned(),
            team: "first line".to_owned(),
            actor: "lead-1".to_owned(),
            text: "please\nlook".to_owned(),
            ..entry(62, Event::Assigned)
        };
        let entries = [entry(0, Event::Opened), assigned, entry(1_440, Event::Closed)];
        let shown = |texts| {
            let mut out = Vec::new();
            write(&entries, false, &Named::default(), texts, &TimeZone::UTC, &mut out)
                .expect("a vector takes everything");
            String::from_utf8(out).expect("text")
        };
        let by = " ".repeat(WIDTH + 1 - "given to emp-4, first line".len() - "by lead-1".len());
        let expected = format!(
            "Thu 1970-01-01\n  00:00     opened\n  01:02     given to emp-4, first line{by}by lead-1\n\
             Fri 1970-01-02\n  00:00     closed\n"
        );
        assert_eq!(shown(false), expected);
        assert!(shown(true).contains("            please\n            look\n"), "{}", shown(true));
        assert!(shown(false).lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn long_lines_are_broken() {
        let (actor, employee) = ("a".repeat(60), "somebody with a long name ".repeat(2));
        let entries = [CaseEntry { actor, employee, ..entry(0, Event::Assigned) }];
        let mut out = Vec::new();
        write(&entries, false, &Named::default(), false, &TimeZone::UTC, &mut out).expect("a vector takes everything");
        let shown = String::from_utf8(out).expect("text");
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    }

    #[test]
    fn every_event_has_words() {
        for number in 1..=200 {
            let Ok(event) = Event::try_from(number) else { continue };
            let told = told(&entry(0, event), &Named::default(), false);
            assert!(!told.is_empty() && !told.contains('_'), "{told}");
        }
    }

    #[test]
    fn what_an_incident_brought_says_so() {
        let told =
            |event| told(&CaseEntry { incident_id: "i-1".to_owned(), ..entry(0, event) }, &Named::default(), false);
        assert_eq!(told(Event::IncidentLinked), "part of the incident i-1");
        assert_eq!(told(Event::IncidentUnlinked), "no longer part of the incident i-1");
        assert_eq!(told(Event::Resolved), "resolved with the incident i-1");
    }

    #[test]
    fn promises_are_told_apart_and_which_was_kept_late() {
        let of = |minutes, event, id: &str| CaseEntry {
            promise_id: format!("01890a5d-ac96-774b-bcce-b302{id}"),
            team: "legal".to_owned(),
            ..entry(minutes, event)
        };
        let entries = [
            of(0, Event::PromiseMade, "099a8057"),
            of(1, Event::PromiseMade, "1c44fe02"),
            of(2, Event::PromiseBroken, "099a8057"),
            of(3, Event::PromiseAssigned, "099a8057"),
            of(4, Event::PromiseKept, "1c44fe02"),
            of(5, Event::PromiseKept, "099a8057"),
        ];
        let mut out = Vec::new();
        write(&entries, false, &Named::default(), false, &TimeZone::UTC, &mut out).expect("a vector takes everything");
        let shown = String::from_utf8(out).expect("text");
        let told: Vec<&str> = shown.lines().skip(1).map(|line| &line[12..]).collect();
        assert_eq!(
            told,
            [
                "promise 099a8057 made",
                "promise 1c44fe02 made",
                "promise 099a8057 broken",
                "promise 099a8057 given to legal",
                "promise 1c44fe02 kept",
                "promise 099a8057 kept late",
            ]
        );
    }
}
