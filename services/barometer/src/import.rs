//! `barometer import`: rows of a file become facts.

mod complaints;
mod costs;
mod customers;
mod field;
mod histories;
mod interactions;
mod invitations;
mod key;
mod line;
mod memberships;
pub(crate) mod noun;
mod plan;
mod purchases;
mod reader;
mod referrals;
mod report;
mod responses;
mod subscriptions;
mod upload;
mod value;

use std::path::{Path, PathBuf};
use std::time::Duration;

use barometer_chassis::config;
use clap::Args;

pub use field::Kind;

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::output;
use crate::suite::Suite;

use complaints::Complaints;
use costs::Costs;
use customers::Customers;
use histories::Histories;
use interactions::Interactions;
use invitations::Invitations;
use memberships::Memberships;
use noun::Noun;
use plan::{Mapping, Plan};
use purchases::Purchases;
use reader::{Batches, Source};
use referrals::Referrals;
use report::{ROWS, Report};
use responses::Responses;
use subscriptions::Subscriptions;
use upload::Upload;

/// Record the rows of a CSV file
///
/// The first line names the columns; --map and --set say what becomes of them. Run again, it changes nothing; after an
/// interruption it adds only what is missing. Rows that can not be recorded are left out and listed in a file.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = long_help())]
pub struct ImportArgs {
    /// What the rows are
    #[arg(value_enum, value_name = "KIND")]
    kind: Kind,

    /// The CSV file, in UTF-8
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,

    #[command(flatten)]
    mapping: Mapping,

    /// Character between the fields of a row; `\t` for a tab
    #[arg(long, default_value = ",", value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: u8,

    /// File for the rows that were rejected [default: FILE.csv.rejected.csv in the current directory]
    #[arg(long, value_name = "PATH")]
    rejects: Option<PathBuf>,

    /// How long to try when the suite can not be reached
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = patience)]
    give_up_after: Duration,

    #[command(flatten)]
    endpoint: Endpoint,
}

const EXAMPLES: &str = r"Examples:
  barometer import responses answers.csv --set survey=Delivery \
    --map score=nps --map time=answered_at --map external_id=id --map customer=customer_no \
    --dimension region --dimension age=age_group

  barometer import purchases orders.csv --set currency=EUR --time-zone Europe/Chisinau \
    --map customer=customer_no --map time=ordered_at --map amount=total --map external_id=order_no

  barometer import customers customers.csv --delimiter ';' \
    --map customer=no --map email=mail --map tier=status

  barometer import costs spending.csv --set kind=acquisition --set currency=EUR \
    --map time=from --map end_time=until --map amount=spent --map channel=medium

  barometer import complaints cases.csv --time-zone Europe/Chisinau \
    --map opened=received_at --map first_response=answered_at --map resolved=solved_at \
    --map external_id=case_no --map customer=customer_no --map category=kind --map team=department

  barometer import histories log.csv --map-by-name --source desk --customer-system crm";

/// How fields, values and keys are understood.
fn long_help() -> String {
    let (fields, exit_codes) = (field::help(), crate::failure::EXIT_CODES);
    format!(
        "{EXAMPLES}

Fields (those with an asterisk are required):
{fields}
Values:
  Dates and times are ISO 8601: 2017-05-13, 2009-12-01T07:45:00, 2009-12-01 07:45:00+02:00. \
  Amounts have a point and no separators of thousands: -1234.56; a negative one is a return. \
  Lists (tags, segments) are set apart by semicolons.
  An answer without a score leaves `score` empty; `disposition` may say why: no_answer, dont_know, refused, break_off.
  A survey that is not there is created with the dimensions given, and opened: NPS and relational, unless \
  --set kind=csat, --set kind=ces or --set type=transactional says otherwise.
  The `type` of a membership's event is one of join, leave, earn, redeem, expire, adjust, grant_voucher, redeem_voucher, \
  expire_voucher, gesture. A cost has one of `amount`, which is spread evenly until `end_time`, `per_contact`, `per_hour`; \
  its `kind` is one of acquisition, contact, programme.
  An invitation is one to a survey that is there; `outcome` is only for what does not follow from its times and its \
  answer: complete, partial, refusal, non_contact, other, unknown, not_eligible.
  A complaint has come as far as its instants say: `opened`, `acknowledged`, `first_response`, `resolved`, `closed`, none \
  before another that stands left of it here. Resolving one answers its customer.
  Histories have one event a line, of any case in any order: `event` is one of opened, acknowledged, responded, \
  customer_wrote, awaited_customer, awaited_third_party, resumed, self_served, resolved, reopened, closed, cancelled, \
  assigned, prioritized, annotated, outcome_set, acceptance_asked, acceptance_recorded. What is said of the case stands in \
  the line of `opened`. Their format is told whole in docs/histories.md.

Keys:
  A customer is named by your own key of it, and created when new. `external_id` is your own key of a row, and \
  `return_of`, `in_answer_to` and `invitation` are such keys of other rows, of the same --source. A row without one has a key made of --source, the row as \
  it stands in the file, and its ordinal among equal rows: equal rows are all kept, and another mapping changes no \
  key. This takes about 40 bytes of memory a row.
  A row that was recorded before with other values is rejected (KEY_REUSED): what is recorded is amended, not \
  imported again.

Rejected rows:
  A CSV file with the columns line, field, reason, description; none when there are no such rows.

{exit_codes}"
    )
}

impl ImportArgs {
    /// Records the rows of the file.
    ///
    /// # Errors
    /// When flags or file are wrong, before anything is sent; when the suite can not be reached for too long; when rows
    /// were rejected, after all others are recorded.
    pub async fn run(self) -> Result<(), Failure> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let source = Source::open(&self.file, self.delimiter)?;
        let plan = Plan::new(self.kind, &self.mapping, source.header(), &name)?;
        let rejects = self.rejects.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.rejected.csv")));
        check_rejects(&rejects, &self.file)?;
        let channel = self.endpoint.connect()?;
        for remark in &plan.remarks {
            output::remark(remark);
        }
        let unit = if self.kind == Kind::Histories { histories::CASES } else { ROWS };
        let report = Report::new(rejects, source.bytes(), unit, output::remark);
        match self.kind {
            Kind::Customers => self.upload(Customers::new(channel), source, plan, report).await,
            Kind::Purchases => self.upload(Purchases::new(channel), source, plan, report).await,
            Kind::Interactions => self.upload(Interactions::new(channel), source, plan, report).await,
            Kind::Subscriptions => self.upload(Subscriptions::new(channel), source, plan, report).await,
            Kind::Memberships => self.upload(Memberships::new(channel), source, plan, report).await,
            Kind::Referrals => self.upload(Referrals::new(channel), source, plan, report).await,
            Kind::Costs => self.upload(Costs::new(channel), source, plan, report).await,
            Kind::Responses => self.upload(Responses::new(channel, &plan), source, plan, report).await,
            Kind::Invitations => self.upload(Invitations::new(channel), source, plan, report).await,
            Kind::Complaints => self.upload(Complaints::new(channel), source, plan, report).await,
            Kind::Histories => self.send(Histories::new(channel), histories::start(source, plan), report).await,
        }
    }

    async fn upload<N: Noun>(&self, noun: N, source: Source, plan: Plan, report: Report) -> Result<(), Failure> {
        let batches = source.start::<N>(plan);
        self.send(noun, batches, report).await
    }

    async fn send<N: Noun>(&self, noun: N, batches: Batches<N::Row>, report: Report) -> Result<(), Failure> {
        let upload = Upload::new(noun, batches, report, self.give_up_after, self.endpoint.url());
        let summary = upload.run().await?.close()?;
        let included = match summary.position() {
            "" => None,
            position => Suite::new(&self.endpoint)?.includes(position).await,
        };
        output::print(|out| summary.write(included, out))?;
        summary.verdict()
    }
}

/// The file for rejected rows is overwritten: it must not be the one that is read.
fn check_rejects(rejects: &Path, file: &Path) -> Result<(), Failure> {
    match (rejects.canonicalize(), file.canonicalize()) {
        (Ok(rejects), Ok(file)) if rejects == file => Err(Failure::usage("--rejects is the file that is imported")),
        _ => Ok(()),
    }
}

fn patience(text: &str) -> Result<Duration, String> {
    let patience = config::duration(text)?;
    let day = Duration::from_secs(24 * 3600);
    if (Duration::from_secs(1)..=day).contains(&patience) { Ok(patience) } else { Err("expected 1s to 24h".to_owned()) }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("expected one character, as in ; or \\t".to_owned()),
    }
}
