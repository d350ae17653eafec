"""What a whole disclosure and a second request leave in logs, metrics and traces: no content, no names."""

from __future__ import annotations

import unicodedata
import urllib.request
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from garim.cli import unmask_flow
from garim.cli.demo.chosen import Chosen
from garim.cli.document_files import acknowledger_of, recipient_of
from garim.cli.draft_commands import common
from garim.cli.mesh_plan import AUDIENCE, CUSTODIANS, QUORUM
from garim.cli.session import session
from garim.cli.unmask_draft import draft_unmask, grounds_for
from mesh_support.live import LiveMesh
from mesh_support.played import STRANGERS, Played, play

pytestmark = pytest.mark.timeout(240)


class Collector(TraceServiceServicer):  # type: ignore[misc] # generated code has no types
    """Takes spans as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the RPC's name
        self.requests.append(request)
        return otlp.ExportTraceServiceResponse()

    def spans(self) -> list[tuple[str, Any]]:
        """Return every span with its service."""
        return [
            (each.resource.attributes[0].value.string_value, span)
            for request in self.requests
            for each in request.resource_spans
            for scope in each.scope_spans
            for span in scope.spans
        ]


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[Collector, str]]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    taking = Collector()
    add_TraceServiceServicer_to_server(taking, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield taking, f"127.0.0.1:{port}"
    server.stop(0).wait()


def second_request(played: Played) -> None:
    """Reveal one masked person, with the custodians' quorum."""
    mesh, agency = played.mesh, played.mesh.places.agency
    court = (agency / "names.txt").read_text(encoding="utf-8").splitlines()[0]
    persons = {one for line in played.opened.messages() for one in line.pseudonyms() if one.startswith("P-")}
    person = min(persons)
    payload, sealed = draft_unmask(
        played.opened,
        played.receipt,
        {person: grounds_for(played.opened, person)},
        common(AUDIENCE, played.receipt.authority, court, "TEST-2026-보충-1", played.receipt.case_number),
        recipient=recipient_of(str(agency / "recipient.txt")),
        acknowledger=acknowledger_of(agency / "clerk.pem"),
    )
    done = mesh.submit(mesh.sign(payload), [data for _, data in sealed])
    assert done.unmask_request
    for name in CUSTODIANS[:QUORUM]:
        with session(mesh.root, name, "custodian") as own:
            unmask_flow.approve(own, done.unmask_request, mesh.places.crls, "TEST", None)
    with session(mesh.root, "", "clerk") as own:
        assert unmask_flow.collect(own, done.unmask_request)


def needles(chosen: Chosen) -> list[str]:
    """Return every name, number, address and long text of the rooms."""
    members = [*chosen.people]
    values = [value for one in members for value in (one.name, one.account)]
    values += [value for one in STRANGERS for value in (*one.names, *one.phones, *one.emails)]
    values += [one.text for one in chosen.originals if len(one.text) >= 8]
    return [value for value in values if len(value) >= 2]


def test_nothing_that_a_run_writes_holds_content_or_identities(
    tmp_path: Path, collector: tuple[Collector, str]
) -> None:
    taking, address = collector
    with LiveMesh(tmp_path / "mesh", telemetry=address) as mesh:
        played = play(mesh, tmp_path / "fetched")
        second_request(played)
        shown = {}
        for service, port in mesh.metrics.items():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                shown[service] = answer.read().decode()
    written = "".join(path.read_text(encoding="utf-8") for path in sorted(mesh.places.run.glob("*.log")))
    spans = taking.spans()
    traced = "".join(str(request) for request in taking.requests)

    # Each is there at all, and of every service.
    assert {service for service, _ in spans} == set(mesh.file.addresses)
    for service, text in shown.items():
        assert "garim_ready 1.0" in text, service
        assert "garim_rpc_served_total{" in text, service
    assert 'garim_unmask_requests{state="pending"} 0.0' in shown["custody"]
    assert "garim_log_waiting_entries 0.0" in shown["custody"]
    assert '"event": "listening"' in written

    # A trace goes on from service to service.
    services_of: dict[bytes, set[str]] = {}
    for service, span in spans:
        services_of.setdefault(span.trace_id, set()).add(service)
    assert max(len(services) for services in services_of.values()) >= 3
    assert not any(span.attributes or span.events for _, span in spans)

    everything = unicodedata.normalize("NFC", "\n".join([written, traced, *shown.values()]))
    plain = everything.encode().decode("unicode_escape", errors="ignore")
    found = [one for one in needles(played.chosen) if one in everything or one in plain]
    assert len(found) == 0, f"{len(found)} values of the sample"
