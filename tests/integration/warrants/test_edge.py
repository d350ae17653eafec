"""The edge to agencies: TLS 1.3 and a client certificate, POST only, answers that are HI1 messages."""

from __future__ import annotations

import datetime as dt
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from garim.cli.etsi_client import post
from garim.documents.etsi.reading import read_answer
from garim.documents.etsi.trees import MAX_BYTES
from garim.kit.clock import SystemClock
from garim.kit.identity import Peer
from garim.statements.refusal import RefusedError
from garim.testing.pki import AUTHORITY, YEAR, Authority, make_authority, make_mesh
from garim.warrants.edge import Edge, EdgeSettings

NOW = dt.datetime.now(dt.UTC)


def client_of(
    authority: Authority, *organisations: str, last: dt.datetime = NOW + YEAR
) -> tuple[bytes, bytes]:
    """Return certificate and key of a client that names these organisations."""
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in organisations]
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, "TEST client")])
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ]
    made = authority.issue(subject, extensions, valid=(NOW - YEAR, last))
    return made.chain_pem(), made.key_pem()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


class Served:
    """An edge with certificates of its own; it remembers what it was sent, and by whom."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.agencies = make_authority("TEST agencies", NOW)
        make_mesh("edge.test", NOW).write(folder, "edge", "service/edge")
        (folder / "agencies.pem").write_text(self.agencies.pem)
        self.client("client", AUTHORITY)
        self.sent: list[tuple[bytes, Peer]] = []
        self.going_on = threading.Event()
        self.going_on.set()
        files = {name: f"{name}.pem" for name in ("edge", "agencies")}
        settings = EdgeSettings.model_validate(
            {
                "listen": "127.0.0.1:0",
                "certificate": files["edge"],
                "key": "edge.key",
                "agencies": files["agencies"],
            },
            context={"folder": folder},
        )
        self.edge = Edge(settings, self.answer, mesh="edge.test", clock=SystemClock(), drain_s=5)
        self.edge.start()
        until(self.serves)

    def serves(self) -> bool:
        try:
            self.edge.check()
        except RefusedError:
            return False
        return True

    def answer(self, data: bytes, caller: Peer) -> bytes:
        self.sent.append((data, caller))
        self.going_on.wait(10)
        return b"<answered/>"

    def client(self, name: str, *organisations: str, authority: Authority | None = None) -> None:
        chain, key = client_of(authority or self.agencies, *organisations)
        (self.folder / f"{name}.pem").write_bytes(chain)
        (self.folder / f"{name}.key").write_bytes(key)

    def post(self, data: bytes, client: str = "client") -> bytes:
        return post(
            f"https://localhost:{self.edge.port}/hi1",
            data,
            certificate=self.folder / f"{client}.pem",
            key=self.folder / f"{client}.key",
            trust=self.folder / "ca.pem",
        )

    def connection(
        self, client: str = "client", most: ssl.TLSVersion | None = None
    ) -> http.client.HTTPSConnection:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.folder / "ca.pem")
        if most is not None:
            context.maximum_version = most
        if client:
            context.load_cert_chain(self.folder / f"{client}.pem", self.folder / f"{client}.key")
        return http.client.HTTPSConnection("localhost", self.edge.port, timeout=10, context=context)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    opened = Served(tmp_path)
    yield opened
    opened.going_on.set()
    opened.edge.close()


def test_a_message_is_answered_and_its_agency_is_the_certificates(served: Served) -> None:
    assert served.post(b"<message/>") == b"<answered/>"
    ((data, caller),) = served.sent
    assert (data, caller.kind, caller.name) == (b"<message/>", "agency", AUTHORITY)


def test_connections_do_not_mix_their_certificates(served: Served) -> None:
    served.client("other", "TEST 다른경찰청")
    for client in ("client", "other", "client"):
        served.post(b"<message/>", client)
    assert [caller.name for _, caller in served.sent] == [AUTHORITY, "TEST 다른경찰청", AUTHORITY]


@pytest.mark.parametrize("client", ["", "stranger"])
def test_nobody_without_a_certificate_of_the_agencies_is_heard(served: Served, client: str) -> None:
    served.client("stranger", AUTHORITY, authority=make_authority("TEST strangers", NOW))
    connection = served.connection(client)

    def attempt() -> None:
        connection.request("POST", "/hi1", b"<message/>")
        connection.getresponse()

    with pytest.raises((OSError, http.client.HTTPException)):
        attempt()
    connection.close()
    assert served.sent == []


def test_older_tls_is_not_spoken(served: Served) -> None:
    connection = served.connection(most=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(OSError, match=r"(?i)ssl|reset"):
        connection.request("POST", "/hi1", b"<message/>")
    connection.close()
    assert served.sent == []


@pytest.mark.parametrize("organisations", [(), (AUTHORITY, "TEST 다른경찰청")])
def test_a_certificate_that_names_no_one_agency_is_refused(
    served: Served, organisations: tuple[str, ...]
) -> None:
    served.client("unnamed", *organisations)
    (result,) = read_answer(served.post(b"<message/>", "unnamed")).results
    assert result.description.startswith("AGENCY_UNNAMED")
    assert served.sent == []


def test_only_the_one_endpoint_takes_posts(served: Served) -> None:
    for method, path, status in (("GET", "/hi1", 405), ("PUT", "/hi1", 405), ("POST", "/", 404)):
        connection = served.connection()
        connection.request(method, path, b"<message/>")
        assert connection.getresponse().status == status
        connection.close()
    assert served.sent == []


def test_a_body_over_the_limit_is_refused_by_a_message(served: Served) -> None:
    connection = served.connection()
    connection.putrequest("POST", "/hi1")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    piece = b"x" * (1 << 20)
    answer = b""
    try:
        for _ in range(MAX_BYTES // len(piece) + 1):
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        answer = connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        # The edge may have closed before all was sent.
        pass
    connection.close()
    assert served.sent == []
    if answer:
        assert read_answer(answer).results[0].code == 3022


def test_a_body_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("garim.warrants.edge.BODY_S", 0.2)
    connection = served.connection()
    connection.putrequest("POST", "/hi1")
    connection.putheader("Content-Length", "100")
    connection.endheaders()
    connection.send(b"<mess")
    assert connection.getresponse().status == 408
    connection.close()
    assert served.sent == []


def test_a_half_sent_message_is_not_carried_out(served: Served) -> None:
    connection = served.connection()
    connection.putrequest("POST", "/hi1")
    connection.putheader("Content-Length", "100")
    connection.endheaders()
    connection.send(b"<message/>")
    connection.close()
    assert served.post(b"<whole/>") == b"<answered/>"
    assert [data for data, _ in served.sent] == [b"<whole/>"]


def test_a_running_message_is_answered_before_the_edge_ends(served: Served) -> None:
    served.going_on.clear()
    answers: list[bytes] = []
    sender = threading.Thread(target=lambda: answers.append(served.post(b"<message/>")))
    sender.start()
    until(lambda: bool(served.sent))
    closing = threading.Thread(target=served.edge.close)
    closing.start()
    time.sleep(0.3)
    served.going_on.set()
    closing.join(20)
    sender.join(20)
    assert answers == [b"<answered/>"]
    with pytest.raises(OSError, match=r"(?i)refused"):
        socket.create_connection(("127.0.0.1", served.edge.port), 1)
    with pytest.raises(RefusedError):
        served.edge.check()
