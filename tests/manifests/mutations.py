"""Proves that the checks can fail: breaks good manifests in one place each, and each must be noticed.

mutations.py BAROMETER BASE OVERLAY, where the overlay keeps its facts in files.
"""

import copy
import sys

from check import problems
from manifests import Manifests
from program import Program

GONE = object()
SPEC, POD = ("spec",), ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
LABELS = ("spec", "template", "metadata", "labels")
NAME, PART_OF = "app.kubernetes.io/name", "app.kubernetes.io/part-of"
SURVEYS, METRICS = ("Deployment", "barometer-surveys"), ("Deployment", "barometer-metrics")
POLICY, CALLS = ("NetworkPolicy", "barometer"), ("NetworkPolicy", "barometer-calls")
BUDGET = ("PodDisruptionBudget", "barometer-surveys")
SERVICE, DATABASE = ("Service", "barometer-surveys"), ("NetworkPolicy", "barometer-database")

# What is broken, how, and what must then be said of it.
BASE = [
    (SURVEYS, (*LABELS, NAME), "other", "selects other pods than its own"),
    (SURVEYS, (*SPEC, "selector", "matchLabels"), {PART_OF: "barometer"}, "selects the pods of"),
    (SURVEYS, (*POD, "topologySpreadConstraints", 0, "labelSelector", "matchLabels", NAME), "other", "spreads other"),
    (SURVEYS, (*POD, "serviceAccountName"), "other", "no other"),
    (SURVEYS, (*POD, "automountServiceAccountToken"), GONE, "carries a token"),
    (SURVEYS, (*POD, "securityContext", "runAsNonRoot"), False, "not the image's user"),
    (SURVEYS, (*POD, "securityContext", "runAsUser"), 1000, "not the image's user"),
    (SURVEYS, (*POD, "securityContext", "seccompProfile"), GONE, "no seccomp profile"),
    (SURVEYS, (*CONTAINER, "securityContext", "allowPrivilegeEscalation"), True, "privileges may grow"),
    (SURVEYS, (*CONTAINER, "securityContext", "readOnlyRootFilesystem"), GONE, "may write to its image"),
    (SURVEYS, (*CONTAINER, "securityContext", "capabilities"), {"drop": ["KILL"]}, "keeps capabilities"),
    (SURVEYS, (*CONTAINER, "image"), "barometer:0.0.9", "is not of version"),
    (SURVEYS, (*CONTAINER, "image"), "registry.example.com/other:0.1.0", "another image"),
    (SURVEYS, (*CONTAINER, "resources", "requests", "memory"), "2Gi", "more memory than it may take"),
    (SURVEYS, (*CONTAINER, "resources", "requests", "cpu"), GONE, "asks for no CPU"),
    (SURVEYS, (*CONTAINER, "resources", "limits", "memory"), GONE, "may take all memory"),
    (METRICS, (*POD, "volumes", 0, "emptyDir", "sizeLimit"), GONE, "may fill the node's disk"),
    (METRICS, (*POD, "volumes"), GONE, "volumes and mounts differ"),
    (METRICS, (*CONTAINER, "volumeMounts", 0, "mountPath"), "/other", "cannot write to /data"),
    (SURVEYS, (*CONTAINER, "env", 0, "name"), "BAROMETER_NOTHING", "no variables of the program"),
    (SURVEYS, (*CONTAINER, "env", 1, "value"), "loud", "invalid value 'loud'"),
    (SURVEYS, (*CONTAINER, "env", 0, "valueFrom", "secretKeyRef", "key"), "other", "has no key other"),
    (SURVEYS, (*CONTAINER, "env", 0, "valueFrom", "secretKeyRef", "name"), "other", "makes no secret other"),
    (SURVEYS, (*CONTAINER, "env", -1, "value"), "30s", "cuts off calls that have time left"),
    (SURVEYS, (*CONTAINER, "args", 4), "--nothing=1", "unexpected argument '--nothing'"),
    (SURVEYS, (*CONTAINER, "args", 1), "metrics", "runs metrics"),
    (METRICS, (*CONTAINER, "args", 6), GONE, "does not start"),
    (SURVEYS, (*CONTAINER, "args", 2), "--listen=0.0.0.0:7401", "listens on 7401"),
    (SURVEYS, (*CONTAINER, "ports", 0, "containerPort"), 7401, "no port of its container"),
    (SURVEYS, (*CONTAINER, "ports", 0, "name"), "other", "grpc is no port of its container"),
    (SURVEYS, (*CONTAINER, "readinessProbe", "grpc", "port"), 7401, "asks port 7401"),
    (SURVEYS, (*CONTAINER, "readinessProbe", "grpc", "service"), "barometer.surveys.v1.Gone", "does not serve"),
    (SURVEYS, (*CONTAINER, "startupProbe", "grpc", "service"), "liveness", "is not what it should ask"),
    (SURVEYS, (*CONTAINER, "livenessProbe", "grpc", "service"), "barometer.surveys.v1.SurveyService", "should ask"),
    (SURVEYS, (*CONTAINER, "args", 4), "--customers-endpoint=http://barometer-customers:7401", "nobody is at"),
    (SURVEYS, (*CONTAINER, "args", 4), "--customers-endpoint=http://barometer-metrics:7400", "--customers-endpoint is"),
    (SURVEYS, (*LABELS, "barometer-client"), GONE, "may not call http://barometer-customers:7400"),
    (SURVEYS, (*LABELS, "barometer-database"), GONE, "cannot reach PostgreSQL"),
    (SURVEYS, (*POD, "terminationGracePeriodSeconds"), 30, "is killed while it drains"),
    (SERVICE, (*SPEC, "selector"), {PART_OF: "barometer"}, "leads to"),
    (SERVICE, (*SPEC, "ports", 0, "targetPort"), "http", "http is no port of its container"),
    (SERVICE, ("metadata", "name"), "surveys", "not every deployment has its service"),
    (BUDGET, (*SPEC, "selector", "matchLabels", NAME), "metrics", "is for"),
    (BUDGET, ("metadata", "name"), "other", "not every deployment has its budget"),
    (POLICY, (*SPEC, "policyTypes"), ["Ingress"], "cannot ask name servers by TCP"),
    (POLICY, (*SPEC, "policyTypes"), ["Egress"], "anybody may call"),
    (POLICY, (*SPEC, "podSelector", "matchLabels", PART_OF), "other", "is for nobody"),
    (POLICY, (*SPEC, "egress", 0, "ports", 0), GONE, "cannot ask name servers by UDP"),
    (POLICY, (*SPEC, "egress", 1, "ports"), GONE, "opens every port"),
    (POLICY, (*SPEC, "ingress", 0, "from"), [], "lets everybody in"),
    (POLICY, (*SPEC, "ingress", 0, "ports", 0, "port"), "http", "http is no port of"),
    (POLICY, (*SPEC, "ingress", 0, "from", 0, "podSelector", "matchLabels"), {"other": "x"}, "may not call"),
    (CALLS, (*SPEC, "egress", 0, "to", 0, "podSelector", "matchLabels", PART_OF), "other", "may not call"),
    (CALLS, (*SPEC, "egress", 0, "ports", 0, "port"), 7401, "may not call"),
    (DATABASE, (*SPEC, "egress", 0, "ports", 0, "port"), 5433, "cannot reach PostgreSQL"),
]
OVERLAY = [
    (SURVEYS, (*SPEC, "replicas"), 2, "two would share a file"),
    (SURVEYS, (*SPEC, "strategy"), {"type": "RollingUpdate"}, "two would share a file"),
    (SURVEYS, (*POD, "volumes", 0, "persistentVolumeClaim", "claimName"), "other", "no claim other"),
]


def broken(good, target, path, value):
    documents = copy.deepcopy(good.documents)
    at = next(one for one in documents if (one["kind"], one["metadata"]["name"]) == target)
    *way, last = path
    for step in way:
        at = at[step]
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return Manifests(documents)


program = Program(sys.argv[1])
missed = []
for file, mutations in zip(sys.argv[2:], (BASE, OVERLAY), strict=True):
    good = Manifests.read(file)
    for target, path, value, expected in mutations:
        found = problems(broken(good, target, path, value), program)
        if not any(expected in problem for problem in found):
            missed.append(f"{target} {path}: nobody says {expected!r}, but {found}")
if missed:
    sys.exit("\n".join(missed))
print(f"{len(BASE) + len(OVERLAY)} broken manifests: each is noticed")
