"""The suite in containers, as Kubernetes would run the rendered base.

journey.py BAROMETER BASE IMAGE NETWORK DATABASE_URL

Every replica is a container with the arguments, variables, user and limits of its manifest, on a private network where
names are those of the Services. The tests of the journey pass against them; they stop in order, start again, and give
the same figures. Then the same journey with the whole suite in one container, on SQLite.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "manifests"))

from manifests import Manifests, container_of, pod_of  # noqa: E402
from program import health  # noqa: E402

barometer, base, image, network, database = sys.argv[1:]
HARDENED = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", f"--network={network}"]


def podman(*arguments):
    return subprocess.run(["podman", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@dataclass
class Replica:
    name: str
    service: str
    port: int
    # By the kind of probe.
    probes: dict[str, str]

    def address(self):
        # Another one after each start.
        ip = podman("inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.name)
        return f"{ip}:{self.port}"

    def wait(self):
        until = time.monotonic() + 60
        while health(self.address(), self.probes["startupProbe"]) != "SERVING":
            running = podman("inspect", "--format={{.State.Running}}", self.name) == "true"
            if not running or time.monotonic() > until:
                print(podman("logs", self.name), file=sys.stderr)
                sys.exit(f"{self.name} {'is not ready after a minute' if running else 'has ended'}")
            time.sleep(0.1)
        for kind, name in self.probes.items():
            status = health(self.address(), name)
            assert status == "SERVING", f"{self.name}: {kind} hears {status!r}"

    def is_confined(self, user):
        """The kernel's word, not the engine's."""
        pid = podman("inspect", "--format={{.State.Pid}}", self.name)
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        assert set(status["Uid"]) == {str(user)} and set(status["Gid"]) == {str(user)}, status["Uid"]
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[capabilities][0], 16) == 0, f"{self.name}: {capabilities} {status[capabilities]}"
        assert status["NoNewPrivs"] == ["1"] and status["Seccomp"] == ["2"], f"{self.name}: {status['Seccomp']}"


def start(deployment):
    """Starts the replicas of a deployment."""
    pod, container, name = pod_of(deployment), container_of(deployment), deployment["metadata"]["name"]
    security = pod["securityContext"]
    options = [
        f"--user={security['runAsUser']}:{security['runAsGroup']}",
        f"--stop-timeout={pod['terminationGracePeriodSeconds']}",
        f"--network-alias={name}",
    ]
    options += [f"--env={one['name']}={one.get('value', database)}" for one in container.get("env", [])]
    kinds = ("startupProbe", "readinessProbe", "livenessProbe")
    probes = {kind: container[kind]["grpc"]["service"] for kind in kinds}
    port = container["startupProbe"]["grpc"]["port"]
    replicas = []
    for n in range(deployment["spec"]["replicas"]):
        mounts = container.get("volumeMounts", [])
        volumes = [f"--volume={name}-{n}-{mount['name']}:{mount['mountPath']}:U" for mount in mounts]
        podman("run", "--detach", f"--name={name}-{n}", *HARDENED, *options, *volumes, image, *container["args"])
        replicas.append(Replica(f"{name}-{n}", name.removeprefix("barometer-"), port, probes))
    return replicas


def pass_journey(endpoints):
    """The suite's own tests of the journey; the one that restarts suites has suites of its own."""
    named = ",".join(f"{service}=http://{address}" for service, address in endpoints.items())
    tests = ["cargo", "test", "--quiet", "--locked", "--workspace", "--test", "suite_journey"]
    skipped = ["--", "--skip", "after_a_restart"]
    subprocess.run([*tests, *skipped], check=True, env=os.environ | {"BAROMETER_TEST_SUITE": named})


def figures(address):
    """NPS of every survey, as the command line shows it; without how far the facts were read, which goes on."""
    query = [barometer, "query", "nps", "--by", "survey", "--format", "json", "--endpoint", f"http://{address}"]
    rows = json.loads(subprocess.run(query, check=True, stdout=subprocess.PIPE).stdout)["rows"]
    return [{name: value for name, value in row.items() if name != "completeness"} for row in rows]


def stop(replicas):
    names = [replica.name for replica in replicas]
    podman("stop", *names)
    codes = podman("inspect", "--format={{.State.ExitCode}}", *names).split()
    assert set(codes) == {"0"}, f"{names} ended with {codes}"


def with_replicas():
    deployments = Manifests.read(base).of("Deployment")
    # All at once, on an empty database: which of them migrates is theirs to settle.
    replicas = [replica for deployment in deployments for replica in start(deployment)]
    for replica in replicas:
        replica.wait()
        replica.is_confined(pod_of(deployments[0])["securityContext"]["runAsUser"])
    print(f"{len(replicas)} containers are ready: {', '.join(replica.name for replica in replicas)}")
    # The first of each.
    pass_journey({replica.service: replica.address() for replica in reversed(replicas)})

    metrics = [replica for replica in replicas if replica.service == "metrics"]
    before = figures(metrics[0].address())
    assert len(before) > 1, before
    begun = time.monotonic()
    stop(replicas)
    print(f"all stopped in order, in {time.monotonic() - begun:.0f} s")
    podman("start", *(replica.name for replica in replicas))
    for replica in replicas:
        replica.wait()
    for replica in metrics:
        assert figures(replica.address()) == before, f"{replica.name}: {figures(replica.address())}, not {before}"
    print("after a restart every replica gives the same figures")
    podman("rm", "--force", "--time=0", *(replica.name for replica in replicas))


def in_one_container():
    probes = {"startupProbe": "", "livenessProbe": "liveness"}
    alone = Replica("barometer-alone", "all", 7400, probes)
    # What the image says of user and data directory, and nothing else.
    serve = ["serve", "--listen=0.0.0.0:7400", "--insecure"]
    podman("run", "--detach", f"--name={alone.name}", *HARDENED, "--volume=barometer-alone:/data", image, *serve)
    alone.wait()
    services = [deployment["metadata"]["name"] for deployment in Manifests.read(base).of("Deployment")]
    pass_journey({service.removeprefix("barometer-"): alone.address() for service in services})
    stop([alone])
    print("the whole suite in one container: passed on SQLite")


assert "Usage: barometer" in podman("run", "--rm", image), "the image does not say how it is used"
try:
    with_replicas()
    in_one_container()
except (AssertionError, subprocess.CalledProcessError):
    for container in podman("ps", "--all", "--format={{.Names}}").split():
        print(f"The log of {container} ends:\n{podman('logs', '--tail=20', container)}", file=sys.stderr)
    raise
