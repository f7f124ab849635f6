"""Rendered manifests, and how their parts find each other."""

import re
from pathlib import Path

import yaml


class Manifests:
    def __init__(self, documents):
        self.documents = documents

    @classmethod
    def read(cls, path):
        return cls(list(yaml.safe_load_all(Path(path).read_text())))

    def of(self, kind):
        return [document for document in self.documents if document["kind"] == kind]

    def names(self, kind):
        return {document["metadata"]["name"] for document in self.of(kind)}

    def chosen_by(self, selector):
        return [deployment for deployment in self.of("Deployment") if selects(selector, labels_of(deployment))]

    def policies_of(self, deployment, direction):
        return [
            policy["spec"]
            for policy in self.of("NetworkPolicy")
            if selects(policy["spec"]["podSelector"].get("matchLabels"), labels_of(deployment))
            and direction in policy["spec"]["policyTypes"]
        ]


def selects(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def labels_of(deployment):
    return deployment["spec"]["template"]["metadata"]["labels"]


def pod_of(deployment):
    return deployment["spec"]["template"]["spec"]


def container_of(deployment):
    [container] = pod_of(deployment)["containers"]
    return container


def port_of(container, port):
    """The number behind a port's name or number, or None when the container has no such port."""
    ports = container.get("ports", [])
    return next((p["containerPort"] for p in ports if port in (p.get("name"), p["containerPort"])), None)


def from_readme(comment):
    """The YAML that k8s/README.md shows under this first line."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", Path("k8s/README.md").read_text(), re.DOTALL | re.MULTILINE)
    [block] = [block for block in blocks if block.startswith(f"# {comment}")]
    return block


def seconds(text):
    """A time of one number and one unit, as the manifests have it."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def mebibytes(text):
    number, unit = re.fullmatch(r"(\d+)([MG])i", text).groups()
    return int(number) * {"M": 1, "G": 1024}[unit]
