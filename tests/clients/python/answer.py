"""Submits an answer and prints the score with it: answer.py ENDPOINT SURVEY SCORE."""

import sys

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from barometer.common.v1.external_id_pb2 import ExternalId
from barometer.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from barometer.metrics.v1.query_pb2 import Filter, QueryMetricsRequest
from barometer.surveys.v1.response_pb2 import Response, SubmitResponseRequest
from barometer.surveys.v1.survey_service_pb2_grpc import SurveyServiceStub

endpoint, survey, score = sys.argv[1:]
now = Timestamp()
now.GetCurrentTime()

channel = grpc.insecure_channel(endpoint)
surveys, metrics = SurveyServiceStub(channel), MetricsServiceStub(channel)
customer = ExternalId(system="shop", value="42")
answer = Response(survey_name=survey, customer_key=customer, score=int(score), answer_time=now)
written = surveys.SubmitResponse(SubmitResponseRequest(response=answer))
only = Filter(dimension="survey", values=[survey])
query = QueryMetricsRequest(metrics=["nps"], filters=[only], at_least=[written.position])
print("NPS", round(metrics.QueryMetrics(query).results[0].rows[0].value, 1))
