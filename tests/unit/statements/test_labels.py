"""No two uses of a key share bytes: each label binds purpose, mesh and fields without ambiguity."""

from __future__ import annotations

import pytest

from garim.statements.labels import Purpose, bind, lp


def test_the_length_stands_in_front_in_four_bytes() -> None:
    assert lp(b"") == b"\x00\x00\x00\x00"
    assert lp(b"abc") == b"\x00\x00\x00\x03abc"
    assert lp(bytes(70_000))[:4] == b"\x00\x01\x11\x70"


class LongBytes(bytes):
    """Pretends a length that no test wants to hold in memory."""

    __slots__ = ()

    def __len__(self) -> int:
        return 2**32


def test_what_is_too_long_for_four_bytes_is_refused() -> None:
    with pytest.raises(OverflowError):
        lp(LongBytes())


def test_the_bytes_of_a_label_never_change() -> None:
    assert bind(Purpose.WRITE_SECRET, "demo.mesh") == (
        b"\x00\x00\x00\x15garim/v1/write-secret\x00\x00\x00\x09demo.mesh"
    )
    assert bind(Purpose.TAG, "가림", b"", b"\x00\xff") == (
        b"\x00\x00\x00\x0cgarim/v1/tag\x00\x00\x00\x06\xea\xb0\x80\xeb\xa6\xbc"
        b"\x00\x00\x00\x00\x00\x00\x00\x02\x00\xff"
    )


def test_fields_cannot_be_cut_in_another_way() -> None:
    labels = [
        bind(Purpose.TAG, "mesh", b"ab", b"c"),
        bind(Purpose.TAG, "mesh", b"a", b"bc"),
        bind(Purpose.TAG, "mesh", b"abc"),
        bind(Purpose.TAG, "mesh", b"abc", b""),
        bind(Purpose.TAG, "mesh", b"", b"abc"),
        bind(Purpose.TAG, "mesha", b"b", b"c"),
        bind(Purpose.TAG, "mesh", b"c", b"ab"),
    ]
    assert len(set(labels)) == len(labels)


def test_every_purpose_and_mesh_has_a_label_of_its_own() -> None:
    labels = {bind(purpose, mesh, b"x") for purpose in Purpose for mesh in ("a", "b")}
    assert len(labels) == 2 * len(Purpose)


def test_the_purposes_already_in_use_never_change() -> None:
    in_use = {
        "WRITE_SECRET": "write-secret",
        "WRITE_SECRET_SIGNATURE": "write-secret-signature",
        "SEGMENT_ROOT": "segment-root",
        "ROSTER_ROOT": "roster-root",
        "SEGMENT_KEY": "segment-key",
        "ROSTER_KEY": "roster-key",
        "TAG": "tag",
        "ROSTER_ASKING": "roster-asking",
        "SEALING_SECRET": "sealing-secret",
        "IDENTITY_KEY": "identity-key",
        "IDENTITY": "identity",
        "QUORUM_SHARE": "quorum-share",
        "QUORUM_APPROVAL": "quorum-approval",
        "DOSSIER_PRIVATE_KEY": "dossier-private-key",
        "RELEASED_KEYS": "released-keys",
        "PROVIDER_OBJECT": "provider-object",
        "LOG_RECOVERY": "log-recovery",
        "SPOOL": "spool",
        "PRESERVED_KEYS": "preserved-keys",
    }
    assert in_use.items() <= {purpose.name: purpose.value for purpose in Purpose}.items()
    assert len({purpose.value for purpose in Purpose}) == len(Purpose.__members__)
