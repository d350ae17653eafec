"""Keys on their way from custody to one redaction attempt, sealed to the attempt's one-time key.

Neither the transport nor the two services' main processes ever hold a segment key in the clear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from garim.sealing import hpke
from garim.sealing.keys import KEY_BYTES
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind, lp
from garim.statements.refusal import Kind, RefusedError


def request_digest(rosters: Iterable[bytes], headers: Iterable[bytes]) -> bytes:
    """Return the digest that binds released keys to the records they were asked for."""
    hasher = hashlib.sha256()
    for group in (rosters, headers):
        hasher.update(hashlib.sha256(b"".join(lp(hashlib.sha256(one).digest()) for one in group)).digest())
    return hasher.digest()


def seal_keys(
    keys: Sequence[Secret], attempt_public: bytes, mesh: str, dossier: bytes, digest: bytes
) -> bytes:
    """Seal keys in order to an attempt.

    Args:
        keys: One key for each roster, then one for each header.
        attempt_public: The attempt's HPKE public key.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
        digest: From `request_digest`.
    """
    with Secret(bytearray(KEY_BYTES * len(keys))) as joined:
        for position, key in enumerate(keys):
            joined.buffer[position * KEY_BYTES : (position + 1) * KEY_BYTES] = key.buffer
        return hpke.seal(joined.buffer, attempt_public, bind(Purpose.RELEASED_KEYS, mesh, dossier, digest))


def open_keys(
    sealed: bytes, attempt_private: Secret, mesh: str, dossier: bytes, digest: bytes, count: int
) -> list[Secret]:
    """Open released keys in the order they were asked for.

    Raises:
        RefusedError: `SEALING_OPEN`, or `KEY_COUNT` where another number of keys came.
    """
    with hpke.open_sealed(
        sealed, attempt_private, bind(Purpose.RELEASED_KEYS, mesh, dossier, digest)
    ) as joined:
        if len(joined) != count * KEY_BYTES:
            raise RefusedError("KEY_COUNT", "another number of keys was released", kind=Kind.DATA_LOSS)
        view = joined.buffer
        return [Secret(view[at : at + KEY_BYTES]) for at in range(0, len(view), KEY_BYTES)]
