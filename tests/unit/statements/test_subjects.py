"""What people decide on is bound into the digest they sign: no two things share one."""

from __future__ import annotations

import hashlib

import pytest

from garim.statements import subjects
from garim.statements.decisions import subject_digest

A, B, C = "aa" * 32, "bb" * 32, "cc" * 32
UNMASK: dict[str, object] = {
    "request": b"\x01" * 16,
    "dossier": b"\x02" * 16,
    "grant": b"grant",
    "first": A,
    "supplementary": B,
    "recipient": "age1x",
    "filer": "so-ra",
    "one_time_public": b"\x03" * 8,
    "identities": [("P-2", b"two"), ("P-1", b"one")],
}


def lp(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def digest(*fields: bytes) -> str:
    return hashlib.sha256(b"".join(map(lp, fields))).hexdigest()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def unmask(**change: object) -> str:
    return subjects.unmask(**(UNMASK | change))  # type: ignore[arg-type] # named as the function's


def test_the_digests_never_change() -> None:
    a, b, c = (bytes.fromhex(one) for one in (A, B, C))
    assert subject_digest("x", b"y") == digest(b"garim/v1/decision/x", b"y")
    assert subjects.review(A, b"forecast", C) == digest(b"garim/v1/decision/review", a, sha(b"forecast"), c)
    assert subjects.cancel(b"\x01" * 16, A) == digest(b"garim/v1/decision/cancel", b"\x01" * 16, a)
    assert subjects.lift(A, b"holds") == digest(b"garim/v1/decision/lift", a, sha(b"holds"))
    assert subjects.freeze("test.mesh") == digest(b"garim/v1/decision/freeze", b"test.mesh")
    assert subjects.thaw(b"\x01" * 16) == digest(b"garim/v1/decision/thaw", b"\x01" * 16)
    assert unmask() == digest(
        b"garim/v1/decision/unmask",
        b"\x01" * 16,
        b"\x02" * 16,
        sha(b"grant"),
        a,
        b,
        b"age1x",
        b"so-ra",
        b"\x03" * 8,
        b"P-1",
        sha(b"one"),
        b"P-2",
        sha(b"two"),
    )


def test_the_order_of_identities_does_not_matter() -> None:
    assert unmask(identities=[("P-1", b"one"), ("P-2", b"two")]) == unmask()


@pytest.mark.parametrize(
    "change",
    [
        {"request": b"\x09" * 16},
        {"dossier": b"\x09" * 16},
        {"grant": b"other"},
        {"first": C},
        {"supplementary": C},
        {"recipient": "age1y"},
        {"filer": "ga-on"},
        {"one_time_public": b"\x04" * 8},
        {"identities": [("P-1", b"one")]},
        {"identities": [("P-1", b"two"), ("P-2", b"one")]},
        {"identities": [("P-1", b"one"), ("P-2", b"two"), ("P-3", b"x")]},
        {"recipient": "age1xso-ra", "filer": ""},
    ],
)
def test_everything_a_custodian_sees_is_covered(change: dict[str, object]) -> None:
    assert unmask(**change) != unmask()
