"""DER, the one way to write a structure (ITU-T X.690 clause 10): BER's other ways are refused."""

from __future__ import annotations

from garim.documents.pdf.profile import MAX_DEPTH
from garim.statements.refusal import RefusedError

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_UNIVERSAL_STRUCTURES = (0x10, 0x11)


def _refuse() -> RefusedError:
    return RefusedError("CMS_MALFORMED", "the signature is no DER; write it in its one canonical form")


def element_length(data: bytes) -> int:
    """Return the length of the first element of some bytes, all of it checked to be DER.

    Raises:
        RefusedError: `CMS_MALFORMED`.
    """
    return _element(data, 0, len(data), 0)


def _element(data: bytes, start: int, limit: int, depth: int) -> int:
    if depth > MAX_DEPTH or limit - start < 2:
        raise _refuse()
    tag, first = data[start], data[start + 1]
    if tag & _LONG_TAG == _LONG_TAG:
        raise _refuse()
    head = start + 2
    length = first
    if first >= 0x80:
        octets = first & 0x7F
        body = data[head : min(head + octets, limit)]
        length = int.from_bytes(body, "big")
        if not 1 <= octets <= 4 or len(body) != octets or body[0] == 0 or length < 0x80:
            raise _refuse()
        head += octets
    end = head + length
    if end > limit:
        raise _refuse()
    _check_form(tag, data[head:end])
    if tag & _CONSTRUCTED:
        while head < end:
            head = _element(data, head, end, depth + 1)
    return end


def _check_form(tag: int, content: bytes) -> None:
    """Check what DER demands here: strings whole, integers short, true as 0xFF."""
    if tag >= 0x40:
        return
    kind = tag & _LONG_TAG
    wrong = bool(tag & _CONSTRUCTED) != (kind in _UNIVERSAL_STRUCTURES)
    if kind == 0x01:
        wrong = wrong or content not in {b"\x00", b"\xff"}
    if kind == 0x02:
        padded = len(content) > 1 and content[0] in {0x00, 0xFF} and content[0] >> 7 == content[1] >> 7
        wrong = wrong or not content or padded
    if wrong:
        raise _refuse()
