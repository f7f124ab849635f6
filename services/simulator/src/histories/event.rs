//! One event of a case, as a line of the log.

use std::fmt;

use jiff::Timestamp;

use crate::Micros;

/// The columns of a log, by the names that the import knows.
pub const COLUMNS: &str = "case,time,event,text,employee,team,customer,kind,severity,category,product,channel,reply,\
needs_no_answer,priority,finding,redress,redress_amount,currency,root_cause,acceptance,satisfaction";

/// Something that happened to a case. Texts are those of the import; empty where they are of no matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Number of the case.
    pub case: u32,
    /// When.
    pub time: Micros,
    /// What.
    pub name: &'static str,
    /// Who has it from then on.
    pub employee: String,
    /// The team that has it from then on.
    pub team: &'static str,
    /// Whose case it is, by number; of `opened` only, and not of anonymous ones.
    pub customer: Option<u32>,
    /// What it is.
    pub kind: &'static str,
    /// How bad it is.
    pub severity: &'static str,
    /// The kind of trouble.
    pub category: &'static str,
    /// What it is about.
    pub product: &'static str,
    /// How it came in.
    pub channel: &'static str,
    /// What kind of reply it was.
    pub reply: &'static str,
    /// Whether the customer's message asks for nothing.
    pub needs_no_answer: bool,
    /// How urgent it is.
    pub priority: &'static str,
    /// Whether the customer was right.
    pub finding: &'static str,
    /// What the customer got.
    pub redress: &'static str,
    /// What that is worth, in cents, and of which currency.
    pub worth: Option<(i64, &'static str)>,
    /// Why it came to the case.
    pub root_cause: &'static str,
    /// What the customer says to it.
    pub acceptance: &'static str,
    /// How satisfied they are.
    pub satisfaction: Option<i64>,
}

impl fmt::Display for Event {
    /// A line of the log, without its end. Nothing in it needs quotes.
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event {
            case,
            time,
            name,
            employee,
            team,
            customer,
            kind,
            severity,
            category,
            product,
            channel,
            reply,
            needs_no_answer,
            priority,
            finding,
            redress,
            worth,
            root_cause,
            acceptance,
            satisfaction,
        } = self;
        let time = Timestamp::from_microsecond(*time).map_err(|_| fmt::Error)?;
        let customer = customer.map(|number| format!("c-{number}")).unwrap_or_default();
        let no_answer = if *needs_no_answer { "true" } else { "" };
        let (amount, currency) = match worth {
            Some((cents, currency)) => (format!("{}.{:02}", cents / 100, cents % 100), *currency),
            None => (String::new(), ""),
        };
        let satisfaction = satisfaction.map(|points| points.to_string()).unwrap_or_default();
        // What needs a reason has one.
        let text = match *name {
            "annotated" => "looked into it",
            "cancelled" => "taken back",
            "reopened" => "not solved yet",
            "prioritized" => "more urgent than thought",
            _ => "",
        };
        write!(
            line,
            "{case},{time},{name},{text},{employee},{team},{customer},{kind},{severity},{category},{product},"
        )?;
        write!(line, "{channel},{reply},{no_answer},{priority},{finding},{redress},{amount},{currency},{root_cause},")?;
        write!(line, "{acceptance},{satisfaction}")
    }
}
