"""Revocation lists from files and http(s): limited in size and time, never while a document is checked.

Whoever answers is not believed: a list counts by its own signature, so plain http will do.
"""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from garim.cli.files import read_input, write_private
from garim.documents.crls import MAX_CRL_BYTES, Crl, read_crl
from garim.documents.x509 import TrustPolicy
from garim.statements.refusal import Kind, RefusedError

STEP_S = 10.0
"""Longest wait for one answer of a server, in seconds."""
WHOLE_S = 120.0
"""Longest time for one list, in seconds."""
_CHUNK = 65_536


def fetch(source: str, monotonic: Callable[[], float] = time.monotonic) -> bytes:
    """Return what a source holds.

    Args:
        source: A file's path, or an http(s) URL; redirects are not followed.
        monotonic: Clock in seconds.

    Raises:
        RefusedError: `CRL_FETCH`, `CRL_SIZE`, and those of `read_input`.
    """
    if not source.startswith(("http://", "https://")):
        return read_input(Path(source), "revocation list")
    kind = http.client.HTTPSConnection if source.startswith("https:") else http.client.HTTPConnection
    try:
        url = urlsplit(source)
        connection = kind(url.hostname or "", url.port, timeout=STEP_S)
    except (ValueError, http.client.HTTPException):
        raise _failed() from None
    try:
        return _body(connection, f"{url.path or '/'}{'?' if url.query else ''}{url.query}", monotonic)
    except (OSError, ValueError, http.client.HTTPException):
        raise _failed() from None
    finally:
        connection.close()


def _failed() -> RefusedError:
    return RefusedError("CRL_FETCH", "the source does not give the list in time", kind=Kind.UNAVAILABLE)


def _body(connection: http.client.HTTPConnection, target: str, monotonic: Callable[[], float]) -> bytes:
    until = monotonic() + WHOLE_S
    connection.request("GET", target, headers={"Accept": "application/pkix-crl"})
    response = connection.getresponse()
    if response.status != http.client.OK:
        raise _failed()
    data = bytearray()
    while chunk := response.read1(_CHUNK):
        data += chunk
        if len(data) > MAX_CRL_BYTES:
            raise RefusedError("CRL_SIZE", f"larger than {MAX_CRL_BYTES} bytes", field="crl")
        if monotonic() > until:
            raise _failed()
    return bytes(data)


def keep_newer(data: bytes, folder: Path, trust: TrustPolicy, now_ms: int) -> tuple[Crl, bool]:
    """Keep a list that counts now, if it is newer than the kept one of its issuer; say whether it was.

    Args:
        data: The list as fetched.
        folder: Where services take their lists from.
        trust: What governance trusts.
        now_ms: Time of the check, milliseconds since 1970.

    Raises:
        RefusedError: Those of `read_crl`.
    """
    crl = read_crl(data, trust, now_ms)
    name = hashlib.sha256(crl.issuer + crl.signer_sha256.encode()).hexdigest()[:32]
    target = folder / f"{name}.crl"
    try:
        kept = read_crl(target.read_bytes(), trust, now_ms).number if target.exists() else -1
    except RefusedError:
        kept = -1
    if crl.number <= kept:
        return crl, False
    write_private(target, crl.der, replace=True)
    return crl, True
