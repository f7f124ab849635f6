"""Writes the overlay that k8s/README.md shows into a directory: readme.py DIRECTORY"""

import os
import sys
from pathlib import Path

from manifests import from_readme

directory = Path(sys.argv[1])
directory.mkdir()
base = os.path.relpath("k8s/base", directory.resolve())
kustomization = from_readme("kustomization.yaml")
assert "path/to/k8s/base" in kustomization
(directory / "kustomization.yaml").write_text(kustomization.replace("path/to/k8s/base", base))
(directory / "secret.yaml").write_text(from_readme("secret.yaml"))
