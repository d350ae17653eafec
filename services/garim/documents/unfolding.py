"""Unfolding what a PDF carries compressed, with a limit."""

from __future__ import annotations

import zlib

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
"""Claims that unfold to more are refused."""


def unfold(data: bytes) -> bytes | None:
    """Return what was deflated, or None where it is broken, too large, cut short or followed by anything.

    Args:
        data: One zlib stream (RFC 1950).
    """
    unfolding = zlib.decompressobj()
    try:
        whole = unfolding.decompress(data, MAX_PAYLOAD_BYTES)
    except zlib.error:
        return None
    return whole if unfolding.eof and not unfolding.unused_data else None
