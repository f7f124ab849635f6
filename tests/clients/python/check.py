"""Checks what a client in another language sees of health and of errors: check.py ENDPOINT."""

import re
import sys

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_status import rpc_status

from barometer.complaints.v1.case_pb2 import Case, CloseCaseRequest, GetCaseRequest, OpenCaseRequest, ResolveCaseRequest
from barometer.complaints.v1.complaint_service_pb2_grpc import ComplaintServiceStub
from barometer.surveys.v1.response_pb2 import GetResponseRequest, ListResponsesRequest, Response, SubmitResponseRequest
from barometer.surveys.v1.survey_service_pb2_grpc import SurveyServiceStub


def refused(call, request):
    """The code of the refusal, its ErrorInfo, and the reasons by the paths of the offending fields."""
    try:
        answer = call(request)
    except grpc.RpcError as error:
        info, bad = ErrorInfo(), BadRequest()
        for detail in rpc_status.from_call(error).details:
            detail.Unpack(info) or detail.Unpack(bad)
        assert info.domain == "barometer" and info.reason, info
        assert all(violation.description for violation in bad.field_violations), bad
        assert all(re.fullmatch("[A-Z][A-Z0-9_]*[A-Z0-9]", violation.reason) for violation in bad.field_violations), bad
        return error.code(), info, {violation.field: violation.reason for violation in bad.field_violations}
    raise AssertionError(f"{request} was answered with {answer}")


channel = grpc.insecure_channel(sys.argv[1])
surveys, complaints, health = SurveyServiceStub(channel), ComplaintServiceStub(channel), HealthStub(channel)

for service in ["", "barometer.surveys.v1.SurveyService", "barometer.complaints.v1.ComplaintService"]:
    assert health.Check(HealthCheckRequest(service=service)).status == HealthCheckResponse.SERVING, service

# Every violation in one answer, each with its path; and nothing is written.
before = len(surveys.ListResponses(ListResponsesRequest()).responses)
bad = Response(survey_name="delivery", score=9, weight=0, language="x" * 100, comment="x" * 10_001)
code, _, reasons = refused(surveys.SubmitResponse, SubmitResponseRequest(response=bad, request_id="no UUID"))
assert code == grpc.StatusCode.INVALID_ARGUMENT, code
assert reasons == {
    "request_id": "NOT_A_UUID",
    "response.answer_time": "REQUIRED",
    "response.comment": "TOO_LONG",
    "response.language": "NOT_A_LANGUAGE",
    "response.weight": "OUT_OF_RANGE",
}, reasons

# The scale of the score depends on the survey.
now = Timestamp()
now.GetCurrentTime()
eleven = Response(survey_name="delivery", score=11, answer_time=now)
code, _, reasons = refused(surveys.SubmitResponse, SubmitResponseRequest(response=eleven))
assert (code, reasons) == (grpc.StatusCode.INVALID_ARGUMENT, {"response.score": "OUT_OF_RANGE"}), (code, reasons)
assert len(surveys.ListResponses(ListResponsesRequest()).responses) == before

code, _, reasons = refused(surveys.ListResponses, ListResponsesRequest(page_size=-1, page_token="garbage"))
assert code == grpc.StatusCode.INVALID_ARGUMENT, code
assert reasons == {"page_size": "OUT_OF_RANGE", "page_token": "NOT_A_TOKEN"}, reasons

missing = GetResponseRequest(response_id="01890a5d-ac96-774b-bcce-b302099a8057")
code, _, _ = refused(surveys.GetResponse, missing)
assert code == grpc.StatusCode.NOT_FOUND, code

# A case goes its way by verbs; a state that does not allow one says which it does.
case = complaints.OpenCase(OpenCaseRequest(case=Case(category="late delivery", channel="phone")))
code, info, _ = refused(complaints.CloseCase, CloseCaseRequest(case_id=case.case_id))
assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE"), (code, info)
case = complaints.ResolveCase(ResolveCaseRequest(case_id=case.case_id, etag=case.etag))
assert case.state == Case.STATE_RESOLVED and case.first_response_time == case.resolve_time, case
assert len(complaints.GetCase(GetCaseRequest(case_id=case.case_id)).history) == 2

print("health and errors are as the contract says")
