//! Tables of figures and facts: over the wire, and from the command line to a file.

mod command_line;
mod facts;
mod figures;
mod limits;

use barometer_proto::metrics::v1::{
    ExportChunk, ExportFactsRequest, ExportFormat, ExportHead, ExportMetricsRequest, ExportTail, QueryMetricsRequest,
    export_chunk::Part, export_service_client::ExportServiceClient,
};
use barometer_tests::Suite;
use tonic::{Status, Streaming, transport::Channel};

/// A table that came whole.
pub(crate) struct Table {
    pub(crate) head: ExportHead,
    pub(crate) data: Vec<u8>,
    pub(crate) tail: ExportTail,
}

impl Table {
    /// The cells of the rows by the names of their columns, as texts.
    pub(crate) fn rows(&self) -> Vec<std::collections::BTreeMap<String, String>> {
        let mut lines = csv::Reader::from_reader(self.data.as_slice());
        assert!(lines.headers().expect("a header").iter().eq(self.head.columns.iter().map(String::as_str)));
        let rows: Vec<_> = lines.deserialize().map(|row| row.expect("a row")).collect();
        assert_eq!(i64::try_from(rows.len()), Ok(self.tail.rows));
        rows
    }
}

pub(crate) fn client(suite: &Suite) -> ExportServiceClient<Channel> {
    ExportServiceClient::new(Channel::from_shared(suite.endpoint.clone()).expect("a URL").connect_lazy())
}

/// All facts of a kind as CSV.
pub(crate) fn facts_of(kind: &str) -> ExportFactsRequest {
    ExportFactsRequest { kind: kind.to_owned(), format: ExportFormat::Csv.into(), ..Default::default() }
}

/// The figures of a query as CSV.
pub(crate) fn figures_of(query: QueryMetricsRequest) -> ExportMetricsRequest {
    ExportMetricsRequest { query: Some(query), format: ExportFormat::Csv.into() }
}

pub(crate) async fn facts(suite: &Suite, request: ExportFactsRequest) -> Result<Table, Status> {
    whole(client(suite).export_facts(request).await?.into_inner()).await
}

pub(crate) async fn figures(suite: &Suite, query: QueryMetricsRequest) -> Result<Table, Status> {
    whole(client(suite).export_metrics(figures_of(query)).await?.into_inner()).await
}

/// Reads a table: a head, data, and a tail that says how much there was.
pub(crate) async fn whole(mut chunks: Streaming<ExportChunk>) -> Result<Table, Status> {
    let Some(Part::Head(head)) = next(&mut chunks).await? else { panic!("a head comes first") };
    let mut data = Vec::new();
    loop {
        match next(&mut chunks).await? {
            Some(Part::Data(some)) => {
                assert!(some.len() <= 256 * 1024);
                data.extend(some);
            }
            Some(Part::Tail(tail)) => {
                assert_eq!(i64::try_from(data.len()), Ok(tail.bytes));
                assert!(next(&mut chunks).await?.is_none(), "the tail is last");
                return Ok(Table { head, data, tail });
            }
            other => panic!("data or a tail, not {other:?}"),
        }
    }
}

pub(crate) async fn next(chunks: &mut Streaming<ExportChunk>) -> Result<Option<Part>, Status> {
    Ok(chunks.message().await?.map(|chunk| chunk.part.expect("a part")))
}
