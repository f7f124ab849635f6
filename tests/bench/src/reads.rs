//! Reading one answer by its id, against an empty echo.

use std::sync::Arc;

use barometer_proto::surveys::v1::{GetResponseRequest, SubmitResponseRequest, get_response_request};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    Settings,
    answers::Answer,
    helper::Echo,
    load,
    process::{Start, Suite},
    report::{Aim, Line, Report, Unit},
};

const PART: &str = "read by id";
const ANSWERS: u64 = 1_000;

/// Measures the whole suite on SQLite.
pub async fn measure(settings: &Settings, report: &mut Report) {
    let data = settings.directory();
    let start = Start { program: &settings.program, data: data.path(), postgres: None, preload: None, flags: &[] };
    let suite = Suite::start(&start).await;
    suite.healthy().await;
    let survey = suite.open_survey().await;
    let mut ids: Vec<String> = Vec::new();
    for index in 0..ANSWERS {
        let response = Some(Answer::new(index, ANSWERS).message(&survey));
        let submit = SubmitResponseRequest { response, request_id: String::new() };
        ids.push(suite.surveys().submit_response(submit).await.expect("it is recorded").into_inner().response_id);
    }
    let ids: Arc<[String]> = ids.into();
    let echo = Echo::start();

    for callers in [1, 16, 64] {
        let clients: Vec<_> = (0..load::connections(callers)).map(|_| suite.surveys()).collect();
        let ids = Arc::clone(&ids);
        let get = move |caller: usize, call: u64| {
            let mut client = clients[caller % clients.len()].clone();
            let id = ids[usize::try_from(call % ANSWERS).expect("a small number")].clone();
            async move {
                let request = GetResponseRequest { by: Some(get_response_request::By::ResponseId(id)) };
                client.get_response(request).await.expect("it is there");
            }
        };
        let ours = load::rate(settings.effort, callers, get).await;

        let channel = || Channel::from_shared(echo.endpoint.clone()).expect("a URL").tcp_nodelay(true).connect_lazy();
        let clients: Vec<_> = (0..load::connections(callers)).map(|_| HealthClient::new(channel())).collect();
        let ask = move |caller: usize, _| {
            let mut client = clients[caller % clients.len()].clone();
            async move {
                client.check(HealthCheckRequest::default()).await.expect("it answers");
            }
        };
        let theirs = load::rate(settings.effort, callers, ask).await;
        let line = Line::new(PART, format!("SQLite, {callers} callers"), ours, Unit::PerSecond("reads"));
        let line = line.against("empty echo", theirs);
        report.lines.push(if callers == 1 { line.aim(Aim::Times(0.5)) } else { line });
    }
}
