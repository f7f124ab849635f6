"""Submits an answer and prints the score with it: answer.py ENDPOINT SCORE."""

import sys

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from barometer.common.v1.external_id_pb2 import ExternalId
from barometer.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from barometer.metrics.v1.query_pb2 import Filter, QueryMetricsRequest
from barometer.surveys.v1.response_pb2 import Response, SubmitResponseRequest
from barometer.surveys.v1.survey_pb2 import (
    SURVEY_KIND_NPS,
    SURVEY_TYPE_TRANSACTIONAL,
    ActivateSurveyRequest,
    CreateSurveyRequest,
    GetSurveyRequest,
    Survey,
)
from barometer.surveys.v1.survey_service_pb2_grpc import SurveyServiceStub

endpoint, score = sys.argv[1], int(sys.argv[2])
now = Timestamp()
now.GetCurrentTime()

channel = grpc.insecure_channel(endpoint)
surveys, metrics = SurveyServiceStub(channel), MetricsServiceStub(channel)
try:
    surveys.GetSurvey(GetSurveyRequest(name="delivery"))
except grpc.RpcError as error:
    if error.code() != grpc.StatusCode.NOT_FOUND:
        raise
    survey = Survey(name="delivery", kind=SURVEY_KIND_NPS, type=SURVEY_TYPE_TRANSACTIONAL)
    draft = surveys.CreateSurvey(CreateSurveyRequest(survey=survey))
    surveys.ActivateSurvey(ActivateSurveyRequest(survey_id=draft.survey_id))

answer = Response(survey_name="delivery", customer_key=ExternalId(value="42"), score=score, answer_time=now)
written = surveys.SubmitResponse(SubmitResponseRequest(response=answer))
delivery = Filter(dimension="survey", values=["delivery"])
query = QueryMetricsRequest(metrics=["nps"], filters=[delivery], at_least=[written.position])
print("NPS", round(metrics.QueryMetrics(query).results[0].rows[0].value, 1))
