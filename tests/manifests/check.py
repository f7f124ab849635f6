"""Checks what no schema knows about rendered manifests, against contract, image and program: check.py BAROMETER FILE…

Run from the top of the checkout. Names everything that is wrong, then fails.
"""

import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from manifests import Manifests, container_of, from_readme, labels_of, mebibytes, pod_of, port_of, seconds, selects
from program import DATABASE, NotServing, Program

VERSION = tomllib.loads(Path("Cargo.toml").read_text())["workspace"]["package"]["version"]
USER = int(re.search(r"^USER (\d+):\d+$", Path("k8s/image/Containerfile").read_text(), re.MULTILINE)[1])
LIVENESS = re.search(r'LIVENESS: &str = "(\w+)"', Path("services/chassis/src/health.rs").read_text())[1]


def problems(manifests, program):
    """Everything that is wrong, each in a line."""
    found = []

    def check(good, *what):
        if not good:
            found.append(": ".join(what))

    for deployment in manifests.of("Deployment"):
        check_labels(check, manifests, deployment)
        check_security(check, deployment)
        check_resources(check, deployment)
        check_volumes(check, manifests, deployment)
        what, flags = check_program(check, program, deployment)
        check_storage(check, deployment, what, flags)
        check_drain(check, program, deployment, flags)
        check_traffic(check, manifests, deployment, flags)
    check_services(check, manifests)
    check_budgets(check, manifests)
    check_policies(check, manifests)
    return found


def check_labels(check, manifests, deployment):
    where, labels, pod = deployment["metadata"]["name"], labels_of(deployment), pod_of(deployment)
    check(selects(deployment["spec"]["selector"]["matchLabels"], labels), where, "selects other pods than its own")
    chosen = [other["metadata"]["name"] for other in manifests.chosen_by(deployment["spec"]["selector"]["matchLabels"])]
    check(chosen == [where], where, f"selects the pods of {chosen}")
    for spread in pod["topologySpreadConstraints"]:
        own = selects(spread["labelSelector"]["matchLabels"], labels)
        check(own, where, f"spreads other pods than its own by {spread['topologyKey']}")
    check(pod["serviceAccountName"] in manifests.names("ServiceAccount"), where, f"no {pod['serviceAccountName']}")


def check_security(check, deployment):
    where, pod, container = deployment["metadata"]["name"], pod_of(deployment), container_of(deployment)
    outer, inner = pod["securityContext"], container["securityContext"]
    check(pod.get("automountServiceAccountToken") is False, where, "carries a token it has no use for")
    check(outer.get("runAsNonRoot") is True and outer.get("runAsUser") == USER, where, "not the image's user")
    check(outer.get("seccompProfile") == {"type": "RuntimeDefault"}, where, "no seccomp profile")
    check(inner.get("allowPrivilegeEscalation") is False, where, "privileges may grow")
    check(inner.get("readOnlyRootFilesystem") is True, where, "may write to its image")
    check(inner.get("capabilities") == {"drop": ["ALL"]}, where, "keeps capabilities")
    image, _, tag = container["image"].rpartition(":")
    check(image.rpartition("/")[2] == "barometer", where, f"{image} is another image")
    check(tag == VERSION, where, f"image {tag} is not of version {VERSION}")


def check_resources(check, deployment):
    where, resources = deployment["metadata"]["name"], container_of(deployment)["resources"]
    asked, most = resources["requests"], resources["limits"]
    check("cpu" in asked and "memory" in asked, where, "asks for no CPU or no memory")
    check("memory" in most, where, "may take all memory")
    if "memory" in asked and "memory" in most:
        check(mebibytes(asked["memory"]) <= mebibytes(most["memory"]), where, "asks for more memory than it may take")


def check_volumes(check, manifests, deployment):
    where, volumes = deployment["metadata"]["name"], pod_of(deployment).get("volumes", [])
    mounts = {mount["name"] for mount in container_of(deployment).get("volumeMounts", [])}
    check(mounts == {volume["name"] for volume in volumes}, where, "volumes and mounts differ")
    for volume in volumes:
        if "emptyDir" in volume:
            check((volume["emptyDir"] or {}).get("sizeLimit"), where, f"{volume['name']} may fill the node's disk")
        if "persistentVolumeClaim" in volume:
            claim = volume["persistentVolumeClaim"]["claimName"]
            check(claim in manifests.names("PersistentVolumeClaim"), where, f"no claim {claim}")


def check_program(check, program, deployment):
    """Which service the container runs, and its settings by flag; the program itself judges them."""
    where, container = deployment["metadata"]["name"], container_of(deployment)
    arguments, what, variables = container["args"], container["args"][1], {}
    for variable in container.get("env", []):
        if "valueFrom" in variable:
            check_secret(check, where, variable["valueFrom"]["secretKeyRef"])
        variables[variable["name"]] = variable.get("value", DATABASE)
    unknown = variables.keys() - program.variables()
    check(not unknown, where, f"no variables of the program: {sorted(unknown)}")
    flags = {flag_of(name): value for name, value in variables.items() if name not in unknown}
    complaint = program.complains(arguments, flags)
    check(not complaint, where, complaint)
    flags |= {flag: value for flag, _, value in (argument.partition("=") for argument in arguments)}
    check(labels_of(deployment)["app.kubernetes.io/name"] == what, where, f"runs {what}")

    listening = int(flags["--listen"].rpartition(":")[2])
    check(port_of(container, listening), where, f"listens on {listening}, which is no port of its container")
    probes = {name: container[name]["grpc"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    for name, probe in probes.items():
        check(probe["port"] == listening, where, name, f"asks port {probe['port']}")
        service = probe.get("service", "")
        # Not the database, which a restart does not mend.
        right = service == LIVENESS if name == "livenessProbe" else service.startswith(f"barometer.{what}.")
        check(right, where, name, f"{service} is not what it should ask")
    if not complaint and not unknown:
        asked = frozenset(probe.get("service", "") for probe in probes.values())
        try:
            silent = asked - program.answers(tuple(arguments), tuple(variables.items()), asked)
            check(not silent, where, f"does not serve {sorted(silent)}")
        except NotServing as told:
            check(False, where, f"does not start: {told}")
    return what, flags


def check_secret(check, where, reference):
    told = yaml.safe_load(from_readme("secret.yaml"))
    check(reference["name"] == told["metadata"]["name"], where, f"the README makes no secret {reference['name']}")
    check(reference["key"] in told["stringData"], where, f"the README's secret has no key {reference['key']}")


def check_storage(check, deployment, what, flags):
    where, container, spec = deployment["metadata"]["name"], container_of(deployment), deployment["spec"]
    mounts = [mount["mountPath"] for mount in container.get("volumeMounts", []) if not mount.get("readOnly")]
    if "--data-dir" in flags:
        check(flags["--data-dir"] in mounts, where, f"cannot write to {flags['--data-dir']}")
    # Facts and definitions are kept in PostgreSQL, or in files that one process at a time has.
    if "--database-url" not in flags:
        check("--data-dir" in flags, where, "keeps its facts nowhere")
        check(spec["replicas"] == 1 and spec["strategy"] == {"type": "Recreate"}, where, "two would share a file")


def check_drain(check, program, deployment, flags):
    where, grace = deployment["metadata"]["name"], pod_of(deployment)["terminationGracePeriodSeconds"]
    told = (flags.get(flag) or program.default(flag) for flag in ("--drain-pause", "--drain-timeout", "--max-deadline"))
    pause, timeout, longest = map(seconds, told)
    check(grace > timeout, where, "is killed while it drains")
    check(timeout >= pause + longest, where, "cuts off calls that have time left")


def check_traffic(check, manifests, deployment, flags):
    where = deployment["metadata"]["name"]
    check(manifests.policies_of(deployment, "Ingress"), where, "anybody may call")
    for protocol in ("UDP", "TCP"):
        check(leaves(manifests, deployment, 53, protocol), where, f"cannot ask name servers by {protocol}")
    if "--database-url" in flags:
        check(leaves(manifests, deployment, 5432), where, "cannot reach PostgreSQL")
    if "--otlp-endpoint" in flags:
        check(leaves(manifests, deployment, urlsplit(flags["--otlp-endpoint"]).port), where, "cannot reach a collector")
    for flag in (flag for flag in flags if flag.endswith("-endpoint") and flag != "--otlp-endpoint"):
        url = urlsplit(flags[flag])
        check(url.hostname == "barometer-" + flag[2:].removesuffix("-endpoint"), where, f"{flag} is {flags[flag]}")
        services = [service for service in manifests.of("Service") if service["metadata"]["name"] == url.hostname]
        ports = [port["port"] for service in services for port in service["spec"]["ports"]]
        check(url.port in ports, where, f"{flag}: nobody is at {flags[flag]}")
        for target in (target for service in services for target in manifests.chosen_by(service["spec"]["selector"])):
            check(may_call(manifests, deployment, target, url.port), where, f"may not call {flags[flag]}")


def leaves(manifests, deployment, port, protocol="TCP"):
    """Whether the policies let a deployment out to anywhere on this port."""
    rules = [rule for policy in manifests.policies_of(deployment, "Egress") for rule in policy["egress"]]
    wanted = {"port": port, "protocol": protocol}
    return any("to" not in rule and wanted in rule.get("ports", []) for rule in rules)


def may_call(manifests, caller, target, port):
    """Whether the policies let one deployment out to the other, and in there."""
    out = [rule for policy in manifests.policies_of(caller, "Egress") for rule in policy["egress"]]
    into = [rule for policy in manifests.policies_of(target, "Ingress") for rule in policy["ingress"]]
    wanted = {"port": port, "protocol": "TCP"}
    return any(
        selects(peer["podSelector"]["matchLabels"], labels_of(target)) and wanted in rule.get("ports", [])
        for rule in out
        for peer in rule.get("to", [])
    ) and any(
        selects(peer["podSelector"]["matchLabels"], labels_of(caller))
        and port in [port_of(container_of(target), allowed["port"]) for allowed in rule.get("ports", [])]
        for rule in into
        for peer in rule["from"]
    )


def check_services(check, manifests):
    check(manifests.names("Service") == manifests.names("Deployment"), "not every deployment has its service")
    for service in manifests.of("Service"):
        where, chosen = f"service {service['metadata']['name']}", manifests.chosen_by(service["spec"]["selector"])
        names = [deployment["metadata"]["name"] for deployment in chosen]
        check(names == [service["metadata"]["name"]], where, f"leads to {names}")
        for port in (port["targetPort"] for deployment in chosen for port in service["spec"]["ports"]):
            check(all(port_of(container_of(one), port) for one in chosen), where, f"{port} is no port of its container")


def check_budgets(check, manifests):
    names = manifests.names("PodDisruptionBudget")
    check(names == manifests.names("Deployment"), "not every deployment has its budget")
    for budget in manifests.of("PodDisruptionBudget"):
        where, chosen = budget["metadata"]["name"], manifests.chosen_by(budget["spec"]["selector"]["matchLabels"])
        names = [deployment["metadata"]["name"] for deployment in chosen]
        check(names == [where], f"budget {where}", f"is for {names}")


def check_policies(check, manifests):
    for policy in manifests.of("NetworkPolicy"):
        where, spec = f"policy {policy['metadata']['name']}", policy["spec"]
        chosen = manifests.chosen_by(spec["podSelector"].get("matchLabels"))
        check(chosen, where, "is for nobody")
        for rule in (rule for rule in spec.get("ingress", []) + spec.get("egress", [])):
            check(rule.get("ports"), where, "opens every port")
        check(all(rule.get("from") for rule in spec.get("ingress", [])), where, "lets everybody in")
        for port in (port["port"] for rule in spec.get("ingress", []) for port in rule.get("ports", [])):
            for one in chosen:
                name = one["metadata"]["name"]
                check(port_of(container_of(one), port), where, f"{port} is no port of {name}")


def flag_of(variable):
    return "--" + variable.removeprefix("BAROMETER_").lower().replace("_", "-")


if __name__ == "__main__":
    program = Program(sys.argv[1])
    for file in sys.argv[2:]:
        manifests = Manifests.read(file)
        if found := problems(manifests, program):
            sys.exit("\n".join(f"{Path(file).name}: {problem}" for problem in found))
        print(f"{Path(file).name}: {len(manifests.documents)} manifests fit together, the image and the program")
