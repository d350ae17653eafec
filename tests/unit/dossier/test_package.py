"""A package is written, encrypted, opened and verified; whatever was changed in between shows."""

from __future__ import annotations

import dataclasses
import io
import json
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dossier_support.sample import (
    ABOUT,
    DOSSIER,
    HANEUL,
    IDENTITIES,
    LINES,
    MARU,
    MESH,
    PHONE,
    Made,
    line,
    make,
    sealed_identities,
    secret,
    write,
)
from garim.dossier import commitments, opening, package, verification
from garim.dossier.lines import MessageLine, conversation_of
from garim.dossier.opening import OpenedDossier, unpack
from garim.masking.infotype import InfoType
from garim.sealing import identity
from garim.statements.refusal import RefusedError


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path / "opened")


def test_what_was_written_is_read_and_verified(made: Made) -> None:
    verification.verify_package_file(io.BytesIO(made.encrypted), made.receipt)
    verification.verify_opened(made.opened, made.receipt)
    assert list(made.opened.raw_lines()) == list(LINES)
    assert [one.number for one in made.opened.messages()] == ["C1-0001", "C1-0002", "C1-0003", "C2-0001"]
    assert [one.pseudonym for one in made.opened.identities()] == sorted(IDENTITIES)
    assert made.opened.about == ABOUT
    assert made.opened.opaque == 2


def test_the_identities_open_with_the_sealing_secret_and_only_there(made: Made) -> None:
    for one in made.opened.identities():
        plain = identity.open_identity(secret(), MESH, DOSSIER, one.pseudonym, one.sealed)
        assert json.loads(plain) == IDENTITIES[one.pseudonym]
        assert one.type == IDENTITIES[one.pseudonym]["type"]


def test_a_package_without_messages_or_identities_verifies(tmp_path: Path) -> None:
    about = dataclasses.replace(ABOUT, mode="erased")
    made = make(tmp_path / "opened", messages=(), identities=(), about=about)
    receipt = made.receipt.model_copy(update={"mode": "erased"})
    verification.verify_opened(made.opened, receipt)


def test_the_archives_names_and_order_never_change(tmp_path: Path) -> None:
    target = io.BytesIO()
    write(target)
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == [
            "README.txt",
            "about.json",
            "messages.jsonl",
            "identities.jsonl",
            "commitments/salts.txt",
            "commitments/roots.json",
            "transcript/index.html",
            "transcript/C1-1.html",
            "transcript/C2-1.html",
            "transcript/names-1.html",
        ]
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert not list(tmp_path.iterdir())


def test_the_bytes_of_the_leaves_never_change() -> None:
    content = commitments.content_digest(bytes(32), b"line")
    assert content.hex() == "cc18fb83883d12d7483aa7e264a89bf4fa493e96c6474520ded1ad272b5c1435"
    assert commitments.message_leaf("C1-0001", ["A-1", "B-2"], content) == (
        b"\x00\x00\x00\x07C1-0001\x00\x00\x00\x0e\x00\x00\x00\x03A-1\x00\x00\x00\x03B-2" + content
    )
    assert commitments.identity_leaf("A-1", b"xy") == b"\x00\x00\x00\x03A-1\x00\x00\x00\x02xy"


def test_two_packages_of_the_same_input_share_no_salt_and_no_root(tmp_path: Path) -> None:
    first, second = make(tmp_path / "first"), make(tmp_path / "second")
    assert not set(first.opened.salts()) & set(second.opened.salts())
    assert len(set(first.opened.salts())) == len(LINES)
    assert first.receipt.messages_root != second.receipt.messages_root


def rewrite(made: Made, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = made.opened.folder / name
    path.write_bytes(b"".join(one + b"\n" for one in change(path.read_bytes().splitlines())))


MESSAGE_CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "changed text": lambda rows: [rows[0].replace("산에".encode(), "강에".encode()), *rows[1:]],
    "other pseudonym": lambda rows: [*rows[:3], rows[3].replace(MARU.encode(), HANEUL.encode())],
    "missing": lambda rows: rows[1:],
    "missing last": lambda rows: rows[:-1],
    "added": lambda rows: [*rows, line(2, 2, None, "덧붙임")],
    "doubled": lambda rows: [*rows, rows[-1]],
    "reordered": lambda rows: [rows[1], rows[0], *rows[2:]],
    "another spelling of the same JSON": lambda rows: [rows[0].replace(b'"at":', b'"at": '), *rows[1:]],
}


@pytest.mark.parametrize("name", MESSAGE_CHANGES)
def test_a_message_that_is_changed_missing_added_or_moved_shows(made: Made, name: str) -> None:
    rewrite(made, package.MESSAGES, MESSAGE_CHANGES[name])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_MESSAGES"


def test_missing_and_moved_salts_show(made: Made) -> None:
    rewrite(made, package.SALTS, lambda rows: [rows[1], rows[0], *rows[2:]])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_MESSAGES"
    rewrite(made, package.SALTS, lambda rows: rows[1:])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_MESSAGES"


def test_a_surplus_salt_shows(made: Made) -> None:
    rewrite(made, package.SALTS, lambda rows: [*rows, b"00" * 32])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_MESSAGES"


def test_a_malformed_salt_is_refused(made: Made) -> None:
    rewrite(made, package.SALTS, lambda rows: rows[1:])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_MESSAGES"
    rewrite(made, package.SALTS, lambda rows: ["x".encode(), *rows])  # noqa: UP012 - beside bytes
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_FORMAT"


def test_messages_and_salts_dropped_together_show(made: Made) -> None:
    rewrite(made, package.MESSAGES, lambda rows: rows[:-1])
    rewrite(made, package.SALTS, lambda rows: rows[:-1])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_MESSAGES"


def other_seal(rows: list[bytes]) -> list[bytes]:
    row = json.loads(rows[0])
    first, second = row["sealed"][:40], row["sealed"][40:]
    row["sealed"] = first + ("B" if second[0] == "A" else "A") + second[1:]
    return [json.dumps(row).encode(), *rows[1:]]


IDENTITY_CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "changed": other_seal,
    "missing": lambda rows: rows[1:],
    "added": lambda rows: [*rows, rows[-1].replace(PHONE.encode(), b"PHONE-ZZZZZ-ZZZZZ")],
    "doubled": lambda rows: [*rows, rows[-1]],
    "reordered": lambda rows: [rows[1], rows[0], *rows[2:]],
    "swapped names": lambda rows: [
        rows[0].replace(MARU.encode(), HANEUL.encode()),
        rows[1].replace(HANEUL.encode(), MARU.encode()),
        rows[2],
    ],
}


@pytest.mark.parametrize("name", IDENTITY_CHANGES)
def test_an_identity_that_is_changed_missing_added_or_moved_shows(made: Made, name: str) -> None:
    rewrite(made, package.IDENTITIES, IDENTITY_CHANGES[name])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_IDENTITIES"


def test_identities_in_another_order_are_refused_though_committed_to(tmp_path: Path) -> None:
    made = make(tmp_path / "opened", identities=sealed_identities()[::-1])
    assert reason(lambda: verification.verify_opened(made.opened, made.receipt)) == "PACKAGE_IDENTITIES"


@pytest.mark.parametrize(
    "row",
    [
        {"pseudonym": "P-1", "type": "PERSON", "sealed": "e30=", "more": 1},
        {"pseudonym": "P-1", "type": "PERSON"},
        {"pseudonym": "P-1", "type": "PERSON", "sealed": "!"},
        {"pseudonym": "P-1", "type": "PERSON", "sealed": 1},
    ],
)
def test_a_row_of_identities_is_closed(made: Made, row: dict[str, object]) -> None:
    rewrite(made, package.IDENTITIES, lambda _: [json.dumps(row).encode()])
    assert reason(made.opened.identities) == "PACKAGE_FORMAT"


@pytest.mark.parametrize("field", ["dossier", "case_number", "mode", "authority"])
def test_the_receipt_of_another_dossier_is_refused(made: Made, field: str) -> None:
    other = made.receipt.model_copy(update={field: "ff" * 16})
    assert reason(lambda: verification.verify_opened(made.opened, other)) == "PACKAGE_DOSSIER"


def test_another_file_than_the_receipt_names_is_refused(made: Made) -> None:
    same_size = made.encrypted[:-1] + bytes([made.encrypted[-1] ^ 1])
    for other in (made.encrypted + b"\x00", made.encrypted[:-1], b"", same_size):
        with pytest.raises(RefusedError, match="PACKAGE_DIGEST"):
            verification.verify_package_file(io.BytesIO(other), made.receipt)
    size = made.receipt.model_copy(update={"package_bytes": 1})
    with pytest.raises(RefusedError, match="PACKAGE_DIGEST"):
        verification.verify_package_file(io.BytesIO(made.encrypted), size)


def test_a_proof_shows_number_and_pseudonyms_and_no_text(made: Made) -> None:
    root, size = bytes.fromhex(made.receipt.messages_root), made.receipt.messages
    for proof in verification.prove_messages(made.opened, ["C1-0002", "C2-0001"]):
        leaf = commitments.message_leaf(proof.number, proof.pseudonyms, proof.content)
        commitments.verify_leaf(leaf, proof.index, size, proof.path, root)
        assert len(proof.content) == 32
        for forged in [
            commitments.message_leaf("C1-0001", proof.pseudonyms, proof.content),
            commitments.message_leaf(proof.number, [*proof.pseudonyms, "P-ZZZZZ-ZZZZZ"], proof.content),
            commitments.message_leaf(proof.number, proof.pseudonyms, bytes(32)),
        ]:
            with pytest.raises(RefusedError, match="LOG_INCLUSION"):
                commitments.verify_leaf(forged, proof.index, size, proof.path, root)
    assert verification.prove_messages(made.opened, ["C1-0002"])[0].pseudonyms == (HANEUL, PHONE)
    assert "산에" not in repr(verification.prove_messages(made.opened, ["C1-0001"]))


def test_a_proof_shows_the_sealed_identity_behind_a_pseudonym(made: Made) -> None:
    root, size = bytes.fromhex(made.receipt.identities_root), made.receipt.identities
    proofs = verification.prove_identities(made.opened, [PHONE, HANEUL, PHONE])
    assert [one.pseudonym for one in proofs] == [HANEUL, PHONE]
    for proof in proofs:
        leaf = commitments.identity_leaf(proof.pseudonym, proof.sealed)
        commitments.verify_leaf(leaf, proof.index, size, proof.path, root)
        other = commitments.identity_leaf(MARU, proof.sealed)
        with pytest.raises(RefusedError, match="LOG_INCLUSION"):
            commitments.verify_leaf(other, proof.index, size, proof.path, root)


def test_what_is_not_in_the_package_is_not_proved(made: Made) -> None:
    assert reason(lambda: verification.prove_messages(made.opened, ["C9-0001"])) == "MESSAGE_UNKNOWN"
    assert (
        reason(lambda: verification.prove_identities(made.opened, ["P-00000-00000"])) == "PSEUDONYM_UNKNOWN"
    )


def test_every_pseudonym_that_masking_draws_fits_a_line() -> None:
    for kind in InfoType:
        sample = f"{kind.prefix}-7K4Q2-M9XAT"
        mask = {
            "start": 0,
            "end": len(sample),
            "pseudonym": sample,
            "type": kind.value,
            "commitment": "0c" * 32,
        }
        value = json.loads(line(1, 1, None, sample)) | {"masks": [mask]}
        assert MessageLine.from_json(value).pseudonyms() == [sample]


@pytest.mark.parametrize(
    "number", ["", "C0-0001", "C1-1", "c1-0001", "C1-0001\n", "C01-0001", "C1-00000000001"]
)
def test_a_number_that_nobody_could_cite_is_refused(number: str) -> None:
    with pytest.raises(RefusedError, match="MESSAGE_NUMBER"):
        conversation_of(number)


def archive(*entries: tuple[str, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate name")
        for name, data in entries:
            made.writestr(name, data)
    target.seek(0)
    return target


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "transcript/../../evil.html",
        "transcript/..\\evil.html",
        "about.json/",
        "about.json\n",
        "ABOUT.JSON",
        "transcript/C1-1.html.exe",
        "transcript/C0-1.html",
        "transcript/names-0.html",
        "evil.html",
        "commitments/salts.txt/x",
    ],
)
def test_a_name_that_a_package_does_not_have_is_refused(tmp_path: Path, name: str) -> None:
    hostile = archive(("about.json", b"{}"), (name, b"evil"))
    assert reason(lambda: unpack(hostile, tmp_path / "opened")) == "PACKAGE_FORMAT"
    assert not list(tmp_path.iterdir())


def test_a_file_that_stands_in_the_archive_twice_is_refused(tmp_path: Path) -> None:
    hostile = archive(("about.json", b"{}"), ("about.json", b"[]"))
    assert reason(lambda: unpack(hostile, tmp_path / "opened")) == "PACKAGE_FORMAT"
    assert not list(tmp_path.iterdir())


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opening.MAX_UNPACKED == 64 * 2**30
    monkeypatch.setattr(opening, "MAX_UNPACKED", 99)
    hostile = archive(("about.json", bytes(50)), ("README.txt", bytes(50)))
    assert reason(lambda: unpack(hostile, tmp_path / "opened")) == "PACKAGE_FORMAT"
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "about.json").write_text("mine")
    assert reason(lambda: unpack(archive(("about.json", b"{}")), tmp_path)) == "PACKAGE_EXISTS"
    assert (tmp_path / "about.json").read_text() == "mine"


def test_a_damaged_archive_leaves_nothing_behind(tmp_path: Path) -> None:
    whole = bytearray(archive(("README.txt", b"first"), ("about.json", b"damaged here")).getvalue())
    at = whole.index(b"damaged here")
    whole[at] ^= 1
    assert reason(lambda: unpack(io.BytesIO(bytes(whole)), tmp_path / "opened")) == "PACKAGE_FORMAT"
    encrypted = bytearray(archive(("about.json", b"{}")).getvalue())
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    encrypted[6] |= 1
    assert reason(lambda: unpack(io.BytesIO(bytes(encrypted)), tmp_path / "opened")) == "PACKAGE_FORMAT"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive", bytes(1000)])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    assert reason(lambda: unpack(io.BytesIO(data), tmp_path / "opened")) == "PACKAGE_FORMAT"


def test_only_the_owner_can_enter_an_opened_package(tmp_path: Path) -> None:
    unpack(archive(("transcript/index.html", b"x"), ("about.json", b"{}")), tmp_path / "opened")
    for folder in (tmp_path / "opened", tmp_path / "opened" / "transcript"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_holds_no_package_is_refused(tmp_path: Path, made: Made) -> None:
    assert reason(lambda: OpenedDossier(tmp_path)) == "PACKAGE_FORMAT"
    about = made.opened.folder / "about.json"
    value = json.loads(about.read_bytes())
    for change in ({"format": "garim-dossier/2"}, {"more": 1}, {"opaque": "x"}):
        about.write_bytes(json.dumps(value | change).encode())
        assert reason(lambda: OpenedDossier(made.opened.folder)) == "PACKAGE_FORMAT"
    about.write_bytes(json.dumps({key: one for key, one in value.items() if key != "number"}).encode())
    assert reason(lambda: OpenedDossier(made.opened.folder)) == "PACKAGE_FORMAT"
