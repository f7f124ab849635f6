"""Checks what a collector is told of a few calls: check.py PROGRAM DIRECTORY.

The program exports to Rotel, a collector; Rotel passes on what it understood to a small receiver in here.
"""

import gzip
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import rotel
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from barometer.common.v1.external_id_pb2 import ExternalId
from barometer.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from barometer.metrics.v1.query_pb2 import QueryMetricsRequest
from barometer.metrics.v1.verification_pb2 import VERIFICATION_OUTCOME_SAME, VerifyMetricsRequest
from barometer.metrics.v1.verification_service_pb2_grpc import VerificationServiceStub
from barometer.surveys.v1.response_pb2 import ImportResponsesRequest, Response, ResponseRow, SubmitResponseRequest
from barometer.surveys.v1.survey_pb2 import SURVEY_KIND_NPS, SURVEY_TYPE_TRANSACTIONAL, ActivateSurveyRequest, CreateSurveyRequest, Survey
from barometer.surveys.v1.survey_service_pb2_grpc import SurveyServiceStub

PATIENCE = 60
# Calls that the suite handles at the same time.
CALLS = 4
# Stands in everything personal.
MARK = "mark7f3a@example.org"

# By path: the request, and its lists from the outermost to what is told.
SIGNALS = {
    "/v1/traces": (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans"),
    "/v1/metrics": (ExportMetricsServiceRequest, "resource_metrics", "scope_metrics", "metrics"),
    "/v1/logs": (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records"),
}


class Told:
    """What Rotel passed on."""

    def __init__(self):
        self.resources, self.spans, self.metrics, self.log_records, self.bytes = [], [], [], [], b""
        self.lock = threading.Lock()

    def take(self, path, body):
        request, resources, scopes, things = SIGNALS[path]
        with self.lock:
            self.bytes += body
            for of_resource in getattr(request.FromString(body), resources):
                self.resources.append(values(of_resource.resource.attributes))
                for of_scope in getattr(of_resource, scopes):
                    getattr(self, things).extend(getattr(of_scope, things))

    def has_span(self, name):
        with self.lock:
            return any(span.name == name for span in self.spans)

    def points(self, name):
        """All that was told of a metric."""
        with self.lock:
            found = [metric for metric in self.metrics if metric.name == name]
        return [point for metric in found for point in getattr(metric, metric.WhichOneof("data")).data_points]

    def last(self, name, **wanted):
        """What was told last of a metric with these attributes, if anything was."""
        found = [point for point in self.points(name) if wanted.items() <= values(point.attributes).items()]
        return max(found, key=lambda point: point.time_unix_nano, default=None)


def values(attributes):
    """Attributes as a dictionary."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}


def receive(told):
    """Starts the receiver; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            told.take(self.path, gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def collect(exporter, directory):
    """Starts Rotel on free ports; the process and its address."""
    agent = pathlib.Path(rotel.__file__).parent / "rotel-agent"
    for _ in range(20):
        # Below the ports that Linux hands out to outgoing connections.
        port = random.randrange(20_000, 32_000)
        flags = ["--otlp-grpc-endpoint", f"127.0.0.1:{port}", "--otlp-http-endpoint", f"127.0.0.1:{port + 1}"]
        flags += ["--exporter", "otlp", "--otlp-exporter-endpoint", exporter, "--otlp-exporter-protocol", "http"]
        flags += ["--pid-file", directory / "rotel.pid", "--log-file", directory / "rotel.log"]
        with open(directory / "rotel.out", "wb") as out:
            process = subprocess.Popen([agent, "start", *flags], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        if wait_for(lambda: listens(port) or process.poll() is not None) and process.poll() is None:
            return process, f"http://127.0.0.1:{port}"
        process.kill()
    raise AssertionError(f"Rotel does not start: {(directory / 'rotel.out').read_text()}")


def wait_for(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def serve(program, collector, directory):
    """Starts the suite; the process and its address."""
    port_file, log = directory / "address", open(directory / "suite.log", "wb")
    flags = ["--listen", "127.0.0.1:0", "--port-file", port_file, "--data-dir", directory / "data"]
    flags += ["--otlp-endpoint", collector, "--metrics-interval", "1s", "--max-concurrent-requests", str(CALLS)]
    flags += ["--log-format", "json", "--log-level", "debug", "--resource-attributes", "k8s.pod.name=pod-0"]
    suite = subprocess.Popen([program, "serve", *flags], stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL)
    assert wait_for(lambda: port_file.exists() or suite.poll() is not None) and suite.poll() is None, "it does not start"
    return suite, port_file.read_text()


def traceparent(trace):
    """Metadata of a call that is made in a trace, by the span 00f067aa0ba902b7."""
    return [("traceparent", f"00-{trace}-00f067aa0ba902b7-01")]


def make_calls(address):
    """One import, one submission, one query, one mistake, one call too many; the trace of each."""
    traces = {name: f"{random.getrandbits(128):032x}" for name in ["import", "submit", "query", "mistake", "refused"]}
    channel = grpc.insecure_channel(address)
    surveys, metrics = SurveyServiceStub(channel), MetricsServiceStub(channel)
    now = Timestamp()
    now.GetCurrentTime()
    key = ExternalId(system=MARK, value=MARK)

    def answered():
        try:
            return metrics.QueryMetrics(QueryMetricsRequest(metrics=["responses"]))
        except grpc.RpcError:
            return None

    assert wait_for(answered), "no figures"

    survey = Survey(name="delivery", kind=SURVEY_KIND_NPS, type=SURVEY_TYPE_TRANSACTIONAL)
    survey = surveys.CreateSurvey(CreateSurveyRequest(survey=survey))
    surveys.ActivateSurvey(ActivateSurveyRequest(survey_id=survey.survey_id))

    done = threading.Event()

    def rows():
        answer = Response(survey_name="delivery", score=9, answer_time=now, comment=MARK, external_id=key)
        yield ImportResponsesRequest(rows=[ResponseRow(row=1, response=answer)])
        done.wait()

    first = surveys.ImportResponses(rows(), metadata=traceparent(traces["import"]))
    imported = next(first)
    assert imported.recorded == 1, imported

    answer = Response(survey_name="delivery", customer_key=key, score=3, answer_time=now, comment=MARK)
    submit = SubmitResponseRequest(response=answer)
    written = surveys.SubmitResponse(submit, metadata=traceparent(traces["submit"]))
    query = QueryMetricsRequest(metrics=["nps"], at_least=[written.position])
    metrics.QueryMetrics(query, metadata=traceparent(traces["query"]))
    verified = list(VerificationServiceStub(channel).VerifyMetrics(VerifyMetricsRequest(query=query)))[-1].verification
    assert verified.outcome == VERIFICATION_OUTCOME_SAME, verified

    def refused(trace, code, request):
        try:
            surveys.SubmitResponse(request, metadata=traceparent(traces[trace]))
        except grpc.RpcError as error:
            assert error.code() == code, error
        else:
            raise AssertionError(f"{trace} was answered")

    answer.comment = MARK * 1_000
    refused("mistake", grpc.StatusCode.INVALID_ARGUMENT, SubmitResponseRequest(response=answer))

    # Imports that stay open take all the room there is.
    others = [surveys.ImportResponses(rows()) for _ in range(CALLS - 1)]
    for other in others:
        next(other)
    refused("refused", grpc.StatusCode.RESOURCE_EXHAUSTED, submit)
    done.set()
    for stream in [first, *others]:
        list(stream)
    return traces


def check_resources(told):
    assert len({resource["service.instance.id"] for resource in told.resources}) == 1
    for resource in told.resources:
        assert resource["service.name"] == "barometer" and resource["service.namespace"] == "barometer", resource
        assert resource["service.version"] and resource["service.instance.id"], resource
        assert resource["k8s.pod.name"] == "pod-0" and resource["telemetry.sdk.language"] == "rust", resource


def check_spans(told, traces):
    def spans(trace, name):
        wanted = bytes.fromhex(traces[trace])
        return [span for span in told.spans if span.trace_id == wanted and span.name.endswith(name)]

    def child(trace, name, parent):
        found = [span for span in spans(trace, name) if span.parent_span_id == parent.span_id]
        assert len(found) == 1, (trace, name, [span.name for span in told.spans if span.trace_id == parent.trace_id])
        return found[0]

    calls = {"import": "ImportResponses", "submit": "SubmitResponse", "query": "QueryMetrics"}
    calls |= {"mistake": "SubmitResponse", "refused": "SubmitResponse"}
    codes = dict.fromkeys(calls, "OK") | {"mistake": "INVALID_ARGUMENT", "refused": "RESOURCE_EXHAUSTED"}
    for trace, method in calls.items():
        (call,) = spans(trace, method)
        attributes = values(call.attributes)
        assert call.kind == Span.SPAN_KIND_SERVER and call.parent_span_id.hex() == "00f067aa0ba902b7", call
        assert attributes["rpc.system.name"] == "grpc" and attributes["rpc.method"] == call.name, attributes
        assert attributes["rpc.response.status_code"] == codes[trace], (trace, attributes)
        # What the caller got wrong is no error of the server, as the conventions have it.
        assert call.status.code == Status.STATUS_CODE_UNSET, (trace, call.status)

    for trace in ["import", "submit"]:
        (call,) = spans(trace, calls[trace])
        commit = child(trace, "commit", call)
        fold = child(trace, "fold", child(trace, "publish", commit))
        assert values(commit.attributes)["barometer.service"] == "surveys", commit
        assert values(fold.attributes) == {"barometer.source": "surveys", "barometer.fold.facts": 1}, fold
    # The customer of the answer is made by the other service, in the same trace.
    client, server = sorted(spans("submit", "ResolveCustomers"), key=lambda span: span.kind, reverse=True)
    assert client.kind == Span.SPAN_KIND_CLIENT and server.parent_span_id == client.span_id, (client, server)
    child("submit", "fold", child("submit", "publish", child("submit", "commit", server)))


def check_metrics(told):
    called = [values(point.attributes) | {"count": point.count} for point in told.points("rpc.server.call.duration")]
    method = "barometer.surveys.v1.SurveyService/SubmitResponse"
    codes = {point["rpc.response.status_code"] for point in called if point["rpc.method"] == method and point["count"]}
    assert codes == {"OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}, called
    assert any(point.sum > 0 for point in told.points("rpc.client.call.duration"))

    def last(name, **wanted):
        point = told.last(name, **wanted)
        assert point is not None, (name, wanted, [values(point.attributes) for point in told.points(name)])
        return point

    surveys, of_surveys = {"barometer.service": "surveys"}, {"barometer.source": "surveys"}
    assert last("barometer.writer.commit.facts", **surveys).sum >= 3, "a survey, two answers"
    assert last("barometer.writer.commit.commands", **surveys).count >= 2
    assert last("barometer.writer.commit.duration", **surveys).sum > 0
    for queue in ["single", "bulk"]:
        limit = last("barometer.writer.queue.limit", **surveys, **{"barometer.queue": queue})
        rows = last("barometer.writer.queue.rows", **surveys, **{"barometer.queue": queue})
        assert 0 <= rows.as_int <= limit.as_int == 4096, (rows, limit)
    assert last("barometer.feed.watchers", **surveys).as_int == 2, "metrics and complaints"
    assert last("barometer.feed.batch.facts", **surveys).sum >= 2
    assert 0 <= last("barometer.feed.lag", **surveys).as_double < PATIENCE
    assert 0 <= last("barometer.fold.lag", **of_surveys).as_double < PATIENCE
    assert last("barometer.fold.caught_up", **of_surveys).as_int == 1
    assert last("barometer.fold.facts", **of_surveys).as_int >= 3, "a survey, two answers"
    reached, there = last("barometer.fold.position", **of_surveys), last("barometer.feed.position", **surveys)
    assert 0 < reached.as_int <= there.as_int, (reached, there)
    assert last("barometer.metrics.verification.runs", **{"barometer.verification.outcome": "same"}).as_int == 1
    assert last("barometer.metrics.verification.differences", **{"barometer.verification.way": "folded"}).as_int == 0
    assert 0 <= last("barometer.metrics.verification.age").as_double < PATIENCE
    pool = {"db.client.connection.pool.name": "surveys.write"}
    assert last("db.client.connection.max", **pool).as_int == 1


def check_logs(told, traces, log):
    (line,) = [line for line in told.log_records if line.trace_id.hex() == traces["refused"]]
    fields = values(line.attributes)
    assert line.severity_text == "WARN" and fields["reason"] == "OVERLOADED", line
    lines = [json.loads(line) for line in log.splitlines()]
    assert all({"timestamp", "level", "target", "message"} <= line.keys() for line in lines)
    (mistake,) = [line for line in lines if line.get("trace_id") == traces["mistake"] and line["message"] == "call failed"]
    assert mistake["level"] == "DEBUG" and mistake["reason"] == "INVALID" and mistake["span_id"], mistake


def main():
    program, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    directory.mkdir(parents=True)
    told, processes = Told(), []
    try:
        collector, collector_address = collect(receive(told), directory)
        processes.append(collector)
        suite, address = serve(program, collector_address, directory)
        processes.append(suite)
        traces = make_calls(address)
        of_refusals = {"rpc.response.status_code": "RESOURCE_EXHAUSTED"}
        assert wait_for(lambda: told.last("rpc.server.call.duration", **of_refusals)), "the metrics do not come"
        # While everything runs: an ending process has no watchers any more.
        check_metrics(told)
        suite.send_signal(signal.SIGTERM)
        assert suite.wait(PATIENCE) == 0, "the suite ends in order"
        # The end of the feed's stream is the last that is told.
        assert wait_for(lambda: told.has_span("barometer.surveys.v1.SurveyService/WatchFacts")), "not all was passed on"
        collector.send_signal(signal.SIGTERM)
        collector.wait(PATIENCE)
    finally:
        for process in processes:
            process.kill()

    log = (directory / "suite.log").read_text()
    check_resources(told)
    check_spans(told, traces)
    check_logs(told, traces, log)
    assert MARK.encode() not in told.bytes and MARK not in log, "personal data was told"
    names = {metric.name for metric in told.metrics}
    print(f"a collector got {len(told.spans)} spans, {len(names)} metrics and {len(told.log_records)} lines, as it should")


main()
