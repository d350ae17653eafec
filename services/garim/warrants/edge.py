"""The edge to agencies: HI1 messages over HTTPS with mutual TLS (TS 103 120 clause 9.3).

One endpoint, POST only, TLS 1.3 only; the client certificate names the agency, and the message's sender must
be that agency. Every message is answered with status 200 and an HI1 message: errors stand in it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from garim.documents.etsi.answers import UNREADABLE_HEADER, answer, failure_of
from garim.documents.etsi.trees import MAX_BYTES
from garim.documents.x509 import UNREADABLE
from garim.kit.clock import Clock
from garim.kit.files import read_secret_file
from garim.kit.identity import Peer
from garim.kit.settings import Address, SettingPath, Settings
from garim.statements.refusal import Kind, RefusedError

PATH = "/hi1"
MEDIA_TYPE = "application/xml"
BODY_S = 30.0
"""How long an agency may take to send a message, in seconds."""
KEEP_ALIVE_S = 5
AT_ONCE = 32
"""Connections served at a time; more are told to come back."""
_CERTIFICATE = "garim.client_certificate"
_START_S = 10.0
_MAX_HEAD_BYTES = 16 * 1024

Answering = Callable[[bytes, Peer], bytes]
"""`hi1.Correspondence.answer`."""


class EdgeSettings(Settings):
    """The edge to agencies.

    Attributes:
        listen: Address of the HTTPS port; port 0 takes a free one.
        certificate: The server's certificate with its intermediates, PEM.
        key: Its private key, PEM, mode 0600.
        agencies: Authorities that issue agencies' client certificates, PEM. The organizationName in a client
            certificate is the agency.
    """

    listen: Address
    certificate: SettingPath
    key: SettingPath
    agencies: SettingPath


class Edge:
    """The edge's server, in a thread of its own.

    Args:
        settings: Address and certificates.
        answering: Answers a message.
        mesh: Name of the mesh, for callers' identities.
        clock: Time of answers.
        drain_s: Longest time that running requests get to end at a stop, in seconds.

    Attributes:
        port: Where it listens.

    Raises:
        RefusedError: `EDGE_CERTIFICATE`, `LISTEN_FAILED`, and those of `read_secret_file`.
    """

    def __init__(
        self, settings: EdgeSettings, answering: Answering, *, mesh: str, clock: Clock, drain_s: int
    ) -> None:
        self._answering = answering
        self._mesh = mesh
        self._clock = clock
        context = _context(settings)
        config = uvicorn.Config(
            Starlette(routes=[Route(PATH, self._take, methods=["POST"])]),
            http=_WithCertificate,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=AT_ONCE,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=drain_s,
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
            ssl_context_factory=lambda _config, _default: context,
        )
        self._socket = _bound(settings.listen)
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(config)
        self._drain_s = drain_s
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="edge", daemon=True
        )

    def start(self) -> None:
        """Accept messages."""
        self._thread.start()

    def check(self) -> None:
        """Return if it serves; for `health.Health.register`.

        Raises:
            RefusedError: `EDGE_DOWN`.
        """
        if not (self._thread.is_alive() and self._server.started):
            raise RefusedError("EDGE_DOWN", "the edge to agencies does not serve", kind=Kind.UNAVAILABLE)

    def close(self) -> None:
        """Take no new message, and let running ones end."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(self._drain_s + _START_S)
        self._socket.close()

    async def _take(self, request: Request) -> Response:
        try:
            agency = _agency(request.scope.get(_CERTIFICATE), self._mesh)
            async with asyncio.timeout(BODY_S):
                data = await _body(request)
        except RefusedError as refusal:
            written = answer(UNREADABLE_HEADER, failure_of(refusal), self._clock.now_ms())
            return Response(written, media_type=MEDIA_TYPE, headers={"connection": "close"})
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=408, headers={"connection": "close"})
        return Response(await run_in_threadpool(self._answering, data, agency), media_type=MEDIA_TYPE)


class _WithCertificate(H11Protocol):
    """Hands the client's certificate to the application with each request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        served = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await served({**scope, _CERTIFICATE: certificate}, receive, send)

        self.app = app


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise RefusedError("XML_LIMIT", f"larger than {MAX_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _agency(certificate: bytes | None, mesh: str) -> Peer:
    """Return whom the client's certificate names; TLS has verified it."""
    try:
        subject = x509.load_der_x509_certificate(certificate or b"").subject
        names = [one.value for one in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    except UNREADABLE:
        names = []
    if len(names) != 1 or not isinstance(names[0], str):
        raise RefusedError(
            "AGENCY_UNNAMED", "the client certificate must name one organisation", kind=Kind.FORBIDDEN
        )
    return Peer(f"agency/{names[0]}", mesh, "agency", "", names[0])


def _context(settings: EdgeSettings) -> ssl.SSLContext:
    read_secret_file(settings.key, "private key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        context.load_cert_chain(settings.certificate, settings.key)
        context.load_verify_locations(settings.agencies)
    except (OSError, ssl.SSLError):
        raise RefusedError(
            "EDGE_CERTIFICATE",
            "the edge's certificate, its key or the agencies' authorities cannot be used",
            kind=Kind.PRECONDITION,
            field="edge",
        ) from None
    return context


def _bound(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    try:
        return socket.create_server((host, int(port)))
    except OSError:
        raise RefusedError(
            "LISTEN_FAILED",
            f"{address} cannot be had: another process has it, or it is not ours",
            kind=Kind.PRECONDITION,
        ) from None
