// Submits an answer and prints the score with it: answer.js ENDPOINT SURVEY SCORE.

import { timestampNow } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { MetricsService } from "./gen/barometer/metrics/v1/metrics_service_pb.js";
import { SurveyService } from "./gen/barometer/surveys/v1/survey_service_pb.js";

const [endpoint, name = "", score] = process.argv.slice(2);

const transport = createGrpcTransport({ baseUrl: `http://${endpoint}` });
const survey = { case: "surveyName", value: name } as const;
const customer = { case: "customerKey", value: { system: "shop", value: "42" } } as const;
const response = { survey, customer, score: Number(score), answerTime: timestampNow() };
const { position } = await createClient(SurveyService, transport).submitResponse({ response });
const filters = [{ dimension: "survey", values: [name] }];
const query = { metrics: ["nps"], filters, atLeast: [position] };
const { results } = await createClient(MetricsService, transport).queryMetrics(query);
console.log("NPS", results[0]?.rows[0]?.value?.toFixed(1));
