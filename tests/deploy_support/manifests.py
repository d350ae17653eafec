"""The overlays as `kubectl kustomize` renders them."""

from __future__ import annotations

import copy
import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("dev", "prod")
SERVICES = ("audit", "custody", "messages", "redaction", "warrants")
NAMESPACES = {"garim", "garim-custody"}
NAME = "app.kubernetes.io/name"
Document = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """Something that makes pods.

    Attributes:
        kind: `Deployment`, `Job` or `Cluster` (CloudNativePG's; it has no pod template here).
        name: Its name.
        namespace: Where its pods run.
        labels: The pods' labels.
        pod: Their specification; empty for a `Cluster`.
        document: The whole document.
    """

    kind: str
    name: str
    namespace: str
    labels: Mapping[str, str]
    pod: Document
    document: Document

    def containers(self) -> list[Document]:
        return [*self.pod.get("initContainers", []), *self.pod.get("containers", [])]


@functools.cache
def _rendered(folder: str) -> str:
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def _parsed(overlay: str) -> tuple[Document, ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(yaml.load_all(_rendered(str(KUBERNETES / "overlays" / overlay)), loader))


def render(overlay: str) -> list[Document]:
    """Return an overlay's documents; the caller may change them."""
    return copy.deepcopy(list(_parsed(overlay)))


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [one for one in documents if one["kind"] == kind]


def find(documents: list[Document], kind: str, name: str, namespace: str | None = None) -> Document:
    found = [
        one
        for one in of_kind(documents, kind)
        if one["metadata"]["name"] == name and namespace in {None, one["metadata"].get("namespace")}
    ]
    assert len(found) == 1, (kind, name, namespace, len(found))
    return found[0]


def workloads(documents: list[Document]) -> Iterator[Workload]:
    """Walk through everything that makes pods."""
    for one in documents:
        meta = one["metadata"]
        if one["kind"] in {"Deployment", "Job"}:
            template = one["spec"]["template"]
            yield Workload(
                one["kind"],
                meta["name"],
                meta["namespace"],
                template["metadata"]["labels"],
                template["spec"],
                one,
            )
        elif one["kind"] == "Cluster":
            labels = {"cnpg.io/cluster": meta["name"]}
            yield Workload("Cluster", meta["name"], meta["namespace"], labels, {}, one)
        else:
            unknown = {"Pod", "StatefulSet", "DaemonSet", "CronJob", "ReplicaSet"}
            assert one["kind"] not in unknown, "teach `workloads` where its pods are"


def namespace_of(service: str) -> str:
    return "garim-custody" if service == "custody" else "garim"


def deployment(documents: list[Document], service: str) -> Workload:
    """Return a service's Deployment."""
    found = [one for one in workloads(documents) if (one.kind, one.name) == ("Deployment", service)]
    assert len(found) == 1
    return found[0]
