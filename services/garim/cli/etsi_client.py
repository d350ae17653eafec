"""Sending HI1 messages: over the mesh as a clerk, or over HTTPS as an agency (TS 103 120 clause 9.3)."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from garim.api.warrants.v1 import warrants_pb2
from garim.cli.session import Session
from garim.documents.etsi.trees import MAX_BYTES
from garim.statements.refusal import Kind, RefusedError

TIMEOUT_S = 150.0


def hand_in(own: Session, message: bytes) -> bytes:
    """Hand in a message that an agency sent by other means, and return the answer.

    Args:
        own: A clerk's session.
        message: As the agency signed it.
    """
    request = warrants_pb2.ExchangeMessageRequest(message=message)
    return own.warrants.ExchangeMessage(request).answer


def post(url: str, message: bytes, *, certificate: Path, key: Path, trust: Path) -> bytes:
    """Send a message to an operator's edge, and return the answer.

    Args:
        url: `https://host:port/hi1`.
        message: As it is signed.
        certificate: The agency's client certificate, PEM.
        key: Its private key, PEM.
        trust: The authority of the operator's server, PEM.

    Raises:
        RefusedError: `EDGE_URL`, `EDGE_CERTIFICATE`, `EDGE_UNREACHABLE`, `EDGE_STATUS`.
    """
    place = urlsplit(url)
    if place.scheme != "https" or not place.hostname:
        raise RefusedError("EDGE_URL", "write it like https://operator.example:8443/hi1", field="url")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(trust)
    except (OSError, ssl.SSLError):
        raise RefusedError(
            "EDGE_CERTIFICATE", "the client certificate, its key or the server's authority cannot be used"
        ) from None
    connection = http.client.HTTPSConnection(
        place.hostname, place.port or 443, timeout=TIMEOUT_S, context=context
    )
    try:
        connection.request("POST", place.path or "/", message, {"Content-Type": "application/xml"})
        answer = connection.getresponse()
        body = answer.read(MAX_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise RefusedError(
            "EDGE_UNREACHABLE",
            f"no answer from {place.hostname}: {type(error).__name__}",
            kind=Kind.UNAVAILABLE,
        ) from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise RefusedError("EDGE_STATUS", f"the operator answered with status {answer.status}")
    return body
