"""What attackers do to envelopes that stay valid."""

from __future__ import annotations

import json

from garim.documents import base64url

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def malleated(document: bytes) -> bytes:
    """Return the document with the other valid form of its ES256 signature: (r, n - s)."""
    envelope = json.loads(document)
    for entry in envelope["signatures"]:
        header = json.loads(base64url.decode(entry["protected"], field=""))
        if header["alg"] == "ES256":
            raw = base64url.decode(entry["signature"], field="")
            other = P256_ORDER - int.from_bytes(raw[32:], "big")
            entry["signature"] = base64url.encode(raw[:32] + other.to_bytes(32, "big"))
    changed = json.dumps(envelope, separators=(",", ":")).encode()
    assert changed != document
    return changed
