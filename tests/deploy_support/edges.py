"""Who may reach whom: by NetworkPolicies, and by the access table with the declared list."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from deploy_support.manifests import KUBERNETES, NAMESPACES, SERVICES, Document, Workload, of_kind, workloads
from garim.api.audit.v1 import audit_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.kit.access import access_table

MESH_PORT = "TCP/7443"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
PEOPLE = "garim.internal/edge=true / *"
BACKENDS = "garim.internal/backend=true / *"
_STUBS = {
    "audit": audit_pb2,
    "custody": custody_pb2,
    "messages": messages_pb2,
    "redaction": redaction_pb2,
    "warrants": warrants_pb2,
}


class Edge(NamedTuple):
    """One thing that a policy lets through.

    Attributes:
        pod: The workload that the policy is about.
        direction: `ingress` or `egress`, seen from the pod.
        peer: The workload at the other end, or how the policy selects it outside of the mesh.
        port: `TCP/7443`.
    """

    pod: str
    direction: str
    peer: str
    port: str


def edges_of(documents: list[Document]) -> set[Edge]:
    """Return every edge that the NetworkPolicies let through."""
    known = list(workloads(documents))
    return {edge for policy in of_kind(documents, "NetworkPolicy") for edge in _of_policy(policy, known)}


def _of_policy(policy: Document, known: list[Workload]) -> Iterator[Edge]:
    spec, namespace = policy["spec"], policy["metadata"]["namespace"]
    pods = [one.name for one in _selected(spec["podSelector"], namespace, known)]
    assert pods, f"{policy['metadata']['name']} is about nobody"
    for direction, ends in (("ingress", "from"), ("egress", "to")):
        assert direction not in spec or direction.title() in spec["policyTypes"]
        for rule in spec.get(direction, []):
            ports = [_port(one) for one in rule.get("ports") or [{}]]
            peers = [peer for end in rule.get(ends) or [{}] for peer in _peers(end, namespace, known)]
            for pod in pods:
                for peer in peers:
                    # A group of pods that is let to itself is each pod to each of its kind.
                    yield from (Edge(pod, direction, peer, port) for port in ports)


def _port(port: Mapping[str, Any]) -> str:
    assert "endPort" not in port
    return f"{port.get('protocol', 'TCP')}/{port.get('port', '*')}"


def _selected(selector: Mapping[str, Any], namespace: str, known: list[Workload]) -> list[Workload]:
    assert selector.keys() <= {"matchLabels"}, "expressions are not understood here: use labels"
    wanted = selector.get("matchLabels", {}).items()
    return [one for one in known if one.namespace == namespace and wanted <= one.labels.items()]


def _peers(end: Mapping[str, Any], namespace: str, known: list[Workload]) -> list[str]:
    if not end:
        return ["anybody"]
    if "ipBlock" in end:
        assert end["ipBlock"].keys() == {"cidr"}
        return [f"ip {end['ipBlock']['cidr']}"]
    spaces = end.get("namespaceSelector")
    if spaces is not None:
        assert spaces.keys() <= {"matchLabels"}
        labels = spaces.get("matchLabels", {})
        if labels.keys() != {NAMESPACE_NAME} or labels[NAMESPACE_NAME] not in NAMESPACES:
            return [f"{_written(labels)} / {_written(end.get('podSelector', {}).get('matchLabels', {}))}"]
        namespace = labels[NAMESPACE_NAME]
    found = [one.name for one in _selected(end.get("podSelector", {}), namespace, known)]
    assert found, f"a policy selects nobody: {dict(end)}"
    return found


def _written(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "*"


def callers_of(service: str, peers: Mapping[str, set[str]]) -> set[str]:
    """Return who may call a service by the access table, as ends of edges.

    Args:
        service: Its name.
        peers: By service, whose addresses it has: one that knows no address calls nobody.
    """
    module = _STUBS[service]
    table = access_table(module.DESCRIPTOR.services_by_name.values())
    callers: set[str] = set()
    for pattern in {one for rule in table.values() for one in rule.callers}:
        kind, _, name = pattern.partition("/")
        if kind == "service":
            named = {name} if name else set(SERVICES) - {service}
            callers |= {one for one in named if service in peers[one]}
        else:
            callers.add({"person": PEOPLE, "backend": BACKENDS}[kind])
    return callers


def edges_of_table(peers: Mapping[str, set[str]]) -> set[Edge]:
    """Return the edges that the access table asks for: an ingress each, an egress where a service calls."""
    edges: set[Edge] = set()
    for service in SERVICES:
        for caller in callers_of(service, peers):
            edges.add(Edge(service, "ingress", caller, MESH_PORT))
            if caller in SERVICES:
                edges.add(Edge(caller, "egress", service, MESH_PORT))
    return edges


def edges_of_infrastructure(documents: list[Document], overlay: str) -> set[Edge]:
    """Return the edges of the declared list that policies must hold in an overlay."""
    declared = tomllib.loads((KUBERNETES / "infrastructure-edges.toml").read_text(encoding="utf-8"))["edge"]
    everyone = [one.name for one in workloads(documents)]
    edges: set[Edge] = set()
    for one in declared:
        if overlay not in one.get("overlays", [overlay]) or not one.get("policy", True):
            continue
        pods = [pod for pattern in one["pods"] for pod in fnmatch.filter(everyone, pattern)]
        assert pods, f"{one['name']} is about nobody"
        for pod in pods:
            peer = one["peer"].replace("{service}", pod.partition("-")[0])
            edges |= {Edge(pod, one["direction"], peer, port) for port in one["ports"]}
    return edges
