"""Checks what no schema knows about rendered manifests, against contract and program: check.py RENDERED BAROMETER.

Run from the top of the checkout. Names everything that is wrong, then fails.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import yaml

rendered, barometer = sys.argv[1:]
documents = list(yaml.safe_load_all(Path(rendered).read_text()))
problems = []


def check(good, *what):
    if not good:
        problems.append(": ".join(what))


def of(kind):
    return [document for document in documents if document["kind"] == kind]


def names(kind):
    return {document["metadata"]["name"] for document in of(kind)}


def selects(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def chosen_by(selector):
    return [deployment for deployment in of("Deployment") if selects(selector, pod_labels(deployment))]


def pod_labels(deployment):
    return deployment["spec"]["template"]["metadata"]["labels"]


def rules(policy):
    return policy["spec"]["ingress"]


def port_of(container, port):
    """The number behind a port's name or number, or None when the container has no such port."""
    ports = container.get("ports", [])
    return next((p["containerPort"] for p in ports if port in (p.get("name"), p["containerPort"])), None)


def health_names():
    """The gRPC services of the contract, whose names health is reported under."""
    for file in Path("proto/barometer").rglob("*.proto"):
        text = file.read_text()
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1]
        yield from (f"{package}.{name}" for name in re.findall(r"^service (\w+)", text, re.MULTILINE))


def seconds(text):
    """A time of one number and one unit, as the manifests have it."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def flag_of(variable):
    return "--" + variable.removeprefix("BAROMETER_").lower().replace("_", "-")


def flags_of(container, where):
    """Which service the container runs, and what its flags and variables say, by flag; the program itself judges them."""
    args, what = container["args"], container["args"][1]
    variables = {}
    for variable in container.get("env", []):
        # Only the database's URL comes from elsewhere.
        variables[variable["name"]] = variable.get("value", "postgres://user@host/database")
    as_flags = [f"{flag_of(name)}={value}" for name, value in variables.items()]
    # Help is given only when everything before it was understood.
    told = subprocess.run([barometer, *args, *as_flags, "--help"], capture_output=True, text=True, env={})
    check(told.returncode == 0, where, told.stderr.strip().partition("\n")[0])
    if told.returncode == 0:
        known = set(re.findall(r"\[env:\s+(\w+)", told.stdout))
        check(variables.keys() <= known, where, f"no variables of the program: {sorted(variables.keys() - known)}")
    return what, {flag: value for flag, _, value in (arg.partition("=") for arg in [*args, *as_flags])}


def check_deployment(deployment):
    where = deployment["metadata"]["name"]
    labels, pod = pod_labels(deployment), deployment["spec"]["template"]["spec"]
    check(selects(deployment["spec"]["selector"]["matchLabels"], labels), where, "selects other pods than its own")
    for spread in pod["topologySpreadConstraints"]:
        own = selects(spread["labelSelector"]["matchLabels"], labels)
        check(own, where, f"spreads other pods than its own by {spread['topologyKey']}")
    check(pod["serviceAccountName"] in names("ServiceAccount"), where, f"no account {pod['serviceAccountName']}")

    [container] = pod["containers"]
    check(container["image"].endswith(f":{version}"), where, f"{container['image']} is not of version {version}")
    what, flags = flags_of(container, where)
    check(labels["app.kubernetes.io/name"] == what, where, f"runs {what}")
    listening = int(flags["--listen"].rpartition(":")[2])
    check(port_of(container, listening), where, f"listens on {listening}, which is no port of its container")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container[name]["grpc"]
        check(probe["port"] == listening, where, name, f"asks port {probe['port']}")
        own = probe["service"] in served and probe["service"].startswith(f"barometer.{what}.")
        check(own, where, name, f"{what} does not serve {probe['service']}")
    check(pod["terminationGracePeriodSeconds"] > seconds(flags["--drain-timeout"]), where, "is killed while it drains")
    if "--data-dir" in flags:
        mounts = [mount["mountPath"] for mount in container.get("volumeMounts", []) if not mount.get("readOnly")]
        check(flags["--data-dir"] in mounts, where, f"cannot write to {flags['--data-dir']}")

    for flag in ("--customers-endpoint", "--surveys-endpoint", "--complaints-endpoint"):
        if flag in flags:
            url = urlsplit(flags[flag])
            services = [service for service in of("Service") if service["metadata"]["name"] == url.hostname]
            ports = [port["port"] for service in services for port in service["spec"]["ports"]]
            check(url.port in ports, where, f"{flag}: nobody is at {flags[flag]}")
            for policy in of("NetworkPolicy"):
                callers = [peer["podSelector"]["matchLabels"] for rule in rules(policy) for peer in rule["from"]]
                check(any(selects(caller, labels) for caller in callers), where, f"may not call {flags[flag]}")


def check_service(service):
    where = f"service {service['metadata']['name']}"
    chosen = chosen_by(service["spec"]["selector"])
    names_chosen = [deployment["metadata"]["name"] for deployment in chosen]
    check(names_chosen == [service["metadata"]["name"]], where, f"leads to {names_chosen}")
    for deployment in chosen:
        for port in service["spec"]["ports"]:
            [container] = deployment["spec"]["template"]["spec"]["containers"]
            check(port_of(container, port["targetPort"]), where, f"{port['targetPort']} is no port of its container")


def check_policy(policy):
    where = f"policy {policy['metadata']['name']}"
    for deployment in of("Deployment"):
        name, [container] = deployment["metadata"]["name"], deployment["spec"]["template"]["spec"]["containers"]
        own = selects(policy["spec"]["podSelector"]["matchLabels"], pod_labels(deployment))
        check(own, where, f"leaves {name} open")
        for port in (port["port"] for rule in rules(policy) for port in rule["ports"]):
            check(port_of(container, port), where, f"{port} is no port of {name}")


version = tomllib.loads(Path("Cargo.toml").read_text())["workspace"]["package"]["version"]
served = set(health_names())

for deployment in of("Deployment"):
    check_deployment(deployment)
check(names("Service") == names("Deployment"), "not every deployment has its service")
for service in of("Service"):
    check_service(service)
for budget in of("PodDisruptionBudget"):
    chosen = [deployment["metadata"]["name"] for deployment in chosen_by(budget["spec"]["selector"]["matchLabels"])]
    check(chosen == [budget["metadata"]["name"]], f"budget {budget['metadata']['name']}", f"is for {chosen}")
check(of("NetworkPolicy"), "nothing limits who may call")
for policy in of("NetworkPolicy"):
    check_policy(policy)

if problems:
    sys.exit("\n".join(problems))
print(f"{len(documents)} manifests: names, ports, probes and flags fit")
