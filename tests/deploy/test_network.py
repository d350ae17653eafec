"""NetworkPolicies hold exactly the access table's edges and the declared ones of the infrastructure."""

from __future__ import annotations

import re

import pytest

from deploy_support.edges import BACKENDS, PEOPLE, Edge, edges_of, edges_of_infrastructure, edges_of_table
from deploy_support.manifests import NAMESPACES, OVERLAYS, ROOT, SERVICES, Document, find, of_kind, render
from deploy_support.settings import peers_of, settings_of

STUB = re.compile(r"stub\(\s*\w+Stub,\s*\"(\w+)\"")


def wanted(documents: list[Document], overlay: str) -> set[Edge]:
    return edges_of_table(peers_of(documents)) | edges_of_infrastructure(documents, overlay)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_policies_are_the_access_table_and_the_declared_list_edge_by_edge(overlay: str) -> None:
    documents = render(overlay)
    let_through, asked_for = edges_of(documents), wanted(documents, overlay)
    assert let_through - asked_for == set(), "let through, and nobody asked for it"
    assert asked_for - let_through == set(), "asked for, and no policy lets it through"
    assert {edge.pod for edge in asked_for} >= set(SERVICES)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_edge_of_the_mesh_is_let_through_at_both_ends(overlay: str) -> None:
    edges = edges_of(render(overlay))
    inside = {edge for edge in edges if edge.peer in SERVICES and edge.pod in SERVICES}
    turned = {"ingress": "egress", "egress": "ingress"}
    assert {Edge(one.peer, turned[one.direction], one.pod, one.port) for one in inside} == inside
    assert len(inside) == 22


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_namespace_denies_what_no_policy_names(overlay: str) -> None:
    documents = render(overlay)
    for namespace in NAMESPACES:
        spec = find(documents, "NetworkPolicy", "default-deny", namespace)["spec"]
        assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize(
    "planted",
    [
        {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "garim"}},
                   "podSelector": {"matchLabels": {"app.kubernetes.io/name": "audit"}}}],
         "ports": [{"port": 7443}]},
        {"from": [{"podSelector": {}}], "ports": [{"port": 7443}]},
        {"from": [{"namespaceSelector": {}}], "ports": [{"port": 7443}]},
        {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 7443}]},
        {"ports": [{"port": 7443}]},
        {"from": [{"namespaceSelector": {"matchLabels": {"garim.internal/edge": "true"}}}]},
    ],
    ids=["another service", "a whole namespace", "all namespaces", "an address", "anybody", "any port"],
)  # fmt: skip
def test_a_planted_edge_shows(planted: Document) -> None:
    documents = render("prod")
    find(documents, "NetworkPolicy", "custody-from-messages")["spec"]["ingress"].append(planted)
    assert edges_of(documents) - wanted(documents, "prod")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_policy_is_needed(overlay: str) -> None:
    documents = render(overlay)
    asked_for = wanted(documents, overlay)
    for policy in of_kind(documents, "NetworkPolicy"):
        name = policy["metadata"]["name"]
        if name != "default-deny":
            others = [one for one in documents if one is not policy]
            assert asked_for - edges_of(others), f"{name} can go, and no edge is missing"


def test_a_new_caller_in_the_access_table_shows() -> None:
    documents = render("prod")
    peers = peers_of(documents)
    peers["audit"].add("custody")
    assert edges_of_table(peers) - edges_of(documents) == {
        Edge("custody", "ingress", "audit", "TCP/7443"),
        Edge("audit", "egress", "custody", "TCP/7443"),
    }


def test_only_the_edge_and_the_back_ends_come_in_from_outside() -> None:
    outside = {(one.pod, one.peer) for one in edges_of(render("prod")) if one.peer in {PEOPLE, BACKENDS}}
    people = {(service, PEOPLE) for service in SERVICES if service != "messages"}
    assert outside == people | {("messages", BACKENDS)}


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_addresses_of_those_it_calls_and_of_no_others(overlay: str, service: str) -> None:
    sources = (ROOT / "services" / "garim" / service).rglob("*.py")
    called = {name for path in sources for name in STUB.findall(path.read_text(encoding="utf-8"))}
    assert set(settings_of(render(overlay), service).peers) == called
