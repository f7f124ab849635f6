// Submits an answer and prints the score with it: answer.js ENDPOINT SCORE.

import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { MetricsService } from "./gen/barometer/metrics/v1/metrics_service_pb.js";
import { SurveyKind, SurveyType } from "./gen/barometer/surveys/v1/survey_pb.js";
import { SurveyService } from "./gen/barometer/surveys/v1/survey_service_pb.js";

const [endpoint, score] = process.argv.slice(2);

const transport = createGrpcTransport({ baseUrl: `http://${endpoint}` });
const surveys = createClient(SurveyService, transport);
const metrics = createClient(MetricsService, transport);
try {
  await surveys.getSurvey({ by: { case: "name", value: "delivery" } });
} catch (error) {
  if (ConnectError.from(error).code !== Code.NotFound) throw error;
  const survey = { name: "delivery", kind: SurveyKind.NPS, type: SurveyType.TRANSACTIONAL };
  const { surveyId } = await surveys.createSurvey({ survey });
  await surveys.activateSurvey({ surveyId });
}

const { position } = await surveys.submitResponse({
  response: {
    survey: { case: "surveyName", value: "delivery" },
    customer: { case: "customerKey", value: { value: "42" } },
    score: Number(score),
    answerTime: timestampNow(),
  },
});
const filters = [{ dimension: "survey", values: ["delivery"] }];
const { results } = await metrics.queryMetrics({ metrics: ["nps"], filters, atLeast: [position] });
console.log("NPS", results[0]?.rows[0]?.value?.toFixed(1));
