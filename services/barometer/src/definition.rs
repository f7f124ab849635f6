//! `barometer definition`: metrics of one's own.

mod file;

use std::io::{self, Write};
use std::path::PathBuf;

use barometer_chassis::client::{self, Channel, RetryBudget};
use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{
    CreateDefinitionRequest, Definition, GetDefinitionRequest, ListDefinitionVersionsRequest, ListDefinitionsRequest,
    RestoreDefinitionRequest, RetireDefinitionRequest, ReviseDefinitionRequest, definition::State,
    definition_service_client::DefinitionServiceClient,
};
use clap::{Args, Subcommand};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::endpoint::{Endpoint, request};
use crate::failure::Failure;
use crate::output::{self, Align, Table, wrap};
use crate::query::unit;
use crate::suite::patiently;

/// Widest line.
const WIDTH: usize = 100;

/// Define metrics of one's own, of built-in ones
#[derive(Debug, Args)]
pub struct DefinitionArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Publish(PublishArgs),
    List(ListArgs),
    Show(ShowArgs),
    /// Take a definition out of use: it stays, and nobody can ask for it
    Retire(VerbArgs),
    /// Take a definition that was retired into use again
    Restore(VerbArgs),
}

/// Put the definitions of a file into force: those that are there and differ get a new version
///
/// Each is checked by the suite before any of its own is written, one after the other; the first that is refused ends it. It can be
/// run again: what is the same is left as it is.
#[derive(Debug, Args)]
#[command(after_help = FORMAT)]
struct PublishArgs {
    /// The file, in TOML
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// List the definitions, newest first
#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    endpoint: Endpoint,
}

/// Tell a definition and its versions
#[derive(Debug, Args)]
struct ShowArgs {
    /// Its id, as in custom.web_nps
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// Which definition
#[derive(Debug, Args)]
struct VerbArgs {
    /// Its id, as in custom.web_nps
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    endpoint: Endpoint,
}

const FORMAT: &str = r#"The file:

  [[metrics]]
  id = "custom.web_nps"
  title = "NPS on the web"
  description = "Score of the answers given on the web, one a customer."

  [metrics.variant]
  metric = "nps"
  where = ["channel=web"]
  parameters = { latest_per_customer = "true" }

  [[metrics]]
  id = "custom.cases_per_sale"
  title = "Complaints per thousand sales"
  description = "Complaints that were opened, for every thousand sales."
  # percent, per_thousand, ratio, or that of the numerator
  unit = "per_thousand"
  direction = "down"                 # up, down, neutral

  [metrics.ratio.numerator]
  metric = "complaints_opened"
  count = "opened"                   # or amount, statistic; else the value

  [metrics.ratio.denominator]
  metric = "purchases"
  count = "sales"
  where = ["channel!=shop"]

  [[metrics]]
  id = "custom.contacts_and_cases"
  title = "Contacts and complaints"
  description = "How often customers turned to us."
  direction = "down"
  sum = [
    { metric = "contacts", count = "inbound" },
    { metric = "complaints_opened", name = "complaints", factor = 1 },
  ]

A share (percent of the same count under more conditions) has an interval, and
is tested as one. `barometer catalogue METRIC` tells the counts, amounts and
statistics of a metric."#;

impl DefinitionArgs {
    /// Does it.
    ///
    /// # Errors
    /// When a file can not be read, the suite refuses something or does not answer, or nothing can be printed.
    pub async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Publish(publish) => publish.run().await,
            Command::List(list) => {
                let definitions = Office::new(&list.endpoint)?.list().await?;
                output::print(|out| write_list(&definitions, out))
            }
            Command::Show(show) => {
                let versions = Office::new(&show.endpoint)?.versions(&show.id).await?;
                output::print(|out| write_one(&versions, out))
            }
            Command::Retire(VerbArgs { id, endpoint }) => {
                let retired = Office::new(&endpoint)?.retire(&id).await?;
                output::print(|out| writeln!(out, "{}: retired", retired.id))
            }
            Command::Restore(VerbArgs { id, endpoint }) => {
                let Definition { id, version, .. } = Office::new(&endpoint)?.restore(&id).await?;
                output::print(|out| writeln!(out, "{id}: in use again, version {version}"))
            }
        }
    }
}

impl PublishArgs {
    async fn run(self) -> Result<(), Failure> {
        let written = file::read(&self.file)?;
        let office = Office::new(&self.endpoint)?;
        for definition in written {
            let told = office.publish(definition).await?;
            output::print(|out| writeln!(out, "{told}"))?;
        }
        Ok(())
    }
}

/// The definitions of a running suite.
struct Office {
    client: DefinitionServiceClient<Channel>,
    retries: RetryBudget,
    url: String,
}

impl Office {
    fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        let client = DefinitionServiceClient::new(endpoint.connect()?).max_decoding_message_size(usize::MAX);
        Ok(Office { client, retries: RetryBudget::default(), url: endpoint.url() })
    }

    /// Creates a definition or makes its next version; tells which.
    async fn publish(&self, definition: Definition) -> Result<String, Failure> {
        let id = definition.id.clone();
        let (definition, request_id) = (Some(definition), Uuid::new_v4().to_string());
        let before = match self.latest(&id).await {
            Err(status) if status.code() == Code::NotFound => None,
            answer => Some(self.told(&id, answer)?),
        };
        let answer = match &before {
            None => {
                let create = CreateDefinitionRequest { definition, request_id };
                let call = || {
                    let (mut client, create) = (self.client.clone(), create.clone());
                    async move { client.create_definition(request(create)).await }
                };
                patiently(|| client::retry(&self.retries, call)).await
            }
            Some(_) => {
                let revise = ReviseDefinitionRequest { definition, request_id };
                let call = || {
                    let (mut client, revise) = (self.client.clone(), revise.clone());
                    async move { client.revise_definition(request(revise)).await }
                };
                patiently(|| client::retry(&self.retries, call)).await
            }
        };
        let version = self.told(&id, answer)?.version;
        Ok(match before {
            None => format!("{id}: defined, version {version}"),
            Some(before) if before.version == version => format!("{id}: the same, version {version}"),
            Some(_) => format!("{id}: revised, version {version}"),
        })
    }

    async fn latest(&self, id: &str) -> Result<Response<Definition>, Status> {
        let call = || {
            let (mut client, get) = (self.client.clone(), GetDefinitionRequest { id: id.to_owned(), version: 0 });
            async move { client.get_definition(request(get)).await }
        };
        client::retry(&self.retries, call).await
    }

    async fn list(&self) -> Result<Vec<Definition>, Failure> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let list = ListDefinitionsRequest { page_token, ..Default::default() };
            let call = || {
                let (mut client, list) = (self.client.clone(), list.clone());
                async move { client.list_definitions(request(list)).await }
            };
            let page = client::retry(&self.retries, call).await;
            let page = page.map_err(|status| Failure::of_status(&status, &self.url))?.into_inner();
            all.extend(page.definitions);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(all);
            }
        }
    }

    /// The versions of one, the latest first.
    async fn versions(&self, id: &str) -> Result<Vec<Definition>, Failure> {
        // As many as there may be.
        let list = ListDefinitionVersionsRequest { id: id.to_owned(), page_size: 1_000, ..Default::default() };
        let call = || {
            let (mut client, list) = (self.client.clone(), list.clone());
            async move { client.list_definition_versions(request(list)).await }
        };
        Ok(self.named(client::retry(&self.retries, call).await)?.definitions)
    }

    async fn retire(&self, id: &str) -> Result<Definition, Failure> {
        let (id, etag, request_id) = (id.to_owned(), String::new(), Uuid::new_v4().to_string());
        let retire = RetireDefinitionRequest { id, etag, request_id };
        let call = || {
            let (mut client, retire) = (self.client.clone(), retire.clone());
            async move { client.retire_definition(request(retire)).await }
        };
        self.named(client::retry(&self.retries, call).await)
    }

    async fn restore(&self, id: &str) -> Result<Definition, Failure> {
        let (id, etag, request_id) = (id.to_owned(), String::new(), Uuid::new_v4().to_string());
        let restore = RestoreDefinitionRequest { id, etag, request_id };
        let call = || {
            let (mut client, restore) = (self.client.clone(), restore.clone());
            async move { client.restore_definition(request(restore)).await }
        };
        self.named(client::retry(&self.retries, call).await)
    }

    /// What is wrong is told of the id that was named: there is nothing else.
    fn named<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, Failure> {
        let failed = |status: Status| Failure::of_request(&status, &self.url, |_| "ID".to_owned());
        answer.map(Response::into_inner).map_err(failed)
    }

    /// What is wrong is told with the fields as the file has them.
    fn told(&self, id: &str, answer: Result<Response<Definition>, Status>) -> Result<Definition, Failure> {
        let field =
            |field: &str| format!("{id}: {}", field.trim_start_matches("definition.").replace("filters", "where"));
        answer.map(Response::into_inner).map_err(|status| Failure::of_request(&status, &self.url, field))
    }
}

fn write_list(definitions: &[Definition], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::default();
    for title in ["id", "version", "title", "unit", "state"] {
        table.column(title, if title == "version" { Align::Right } else { Align::Left });
    }
    for definition in definitions {
        let Definition { id, version, title, .. } = definition;
        let cells = [id.clone(), version.to_string(), title.clone(), unit(definition.unit()).to_owned()];
        table.row(cells.into_iter().chain([state(definition).to_owned()]).collect());
    }
    table.write(out)
}

fn write_one(versions: &[Definition], out: &mut dyn Write) -> io::Result<()> {
    for (index, definition) in versions.iter().enumerate() {
        let Definition { id, version, title, description, formula, actor, update_time, .. } = definition;
        let since = update_time.as_ref().and_then(Micros::from_wire).map(|at| at.to_string()).unwrap_or_default();
        let latest = if index == 0 { format!(", {}", state(definition)) } else { String::new() };
        let blank = if index == 0 { "" } else { "\n" };
        writeln!(out, "{blank}{id}: {title} (version {version}{latest}; {since} by {actor})\n")?;
        for text in [description, formula] {
            wrap(text, WIDTH).into_iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
    }
    Ok(())
}

fn state(definition: &Definition) -> &'static str {
    match definition.state() {
        State::Unspecified => "",
        State::Active => "in use",
        State::Retired => "retired",
    }
}
