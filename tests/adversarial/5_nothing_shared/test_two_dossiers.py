"""Two dossiers of one person on a running mesh: what custody and the investigator hold is compared."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest

from garim.dossier.opening import OpenedDossier
from garim.statements.receipts import DossierReceipt
from mesh_support.played import Played

WINDOW = 12
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Disclosed:
    receipt: DossierReceipt
    dossier: OpenedDossier


def windows(data: bytes) -> set[bytes]:
    return {data[at : at + WINDOW] for at in range(len(data) - WINDOW + 1)}


@pytest.fixture(scope="module")
def pair(played: Played, tmp_path_factory: pytest.TempPathFactory) -> list[Disclosed]:
    mesh = played.mesh
    case = mesh.granted(played.another())
    mesh.build(case)
    second = mesh.fetch(case, tmp_path_factory.mktemp("second"))
    return [Disclosed(played.receipt, played.opened), Disclosed(*second)]


def kept(played: Played, table: str, columns: str, dossier: str) -> list[tuple[bytes, ...]]:
    query = f"SELECT {columns} FROM {table} WHERE dossier_id = ?"  # noqa: S608 - this test's own names
    return played.mesh.query("custody", query, dossier)


def test_no_pseudonym_salt_or_sealed_value_is_shared(pair: list[Disclosed]) -> None:
    first, second = (one.dossier for one in pair)
    assert not {one.pseudonym for one in first.identities()} & {one.pseudonym for one in second.identities()}
    assert not set(first.salts()) & set(second.salts())
    sealed = [set().union(*(windows(one.sealed) for one in it.identities())) for it in (first, second)]
    assert sealed[0]
    assert not sealed[0] & sealed[1]


def test_no_key_or_share_of_custody_is_shared(played: Played, pair: list[Disclosed]) -> None:
    ids = [one.receipt.dossier for one in pair]
    for table, columns in (
        ("dossiers", "public_key, wrapped_private, sealed_secret"),
        ("dossier_shares", "sealed, digest"),
    ):
        rows = [kept(played, table, columns, one) for one in ids]
        assert rows[0]
        values = list(itertools.chain.from_iterable(itertools.chain(*rows)))
        seen: set[bytes] = set()
        for value in values:
            assert not seen & windows(value)
            seen |= windows(value)


def test_each_dossier_has_a_provider_object_of_its_own(played: Played, pair: list[Disclosed]) -> None:
    folder = next((played.mesh.places.service("custody")).rglob("dossier/*.key")).parent
    first, second = (Path(folder / f"{one.receipt.dossier}.key").read_bytes()[5:] for one in pair)
    assert not windows(first) & windows(second)


def test_receipts_name_nothing_in_common_but_the_case(pair: list[Disclosed]) -> None:
    first, second = (one.receipt.to_json() for one in pair)
    for name in (
        "dossier",
        "grant",
        "document",
        "case_number",
        "package",
        "identities_root",
        "messages_root",
    ):
        assert first[name] != second[name]


def test_the_other_dossiers_pseudonyms_stand_nowhere(pair: list[Disclosed]) -> None:
    for own, other in itertools.permutations(one.dossier for one in pair):
        text = b"".join(path.read_bytes() for path in sorted(own.folder.rglob("*")) if path.is_file())
        assert not [one.pseudonym for one in other.identities() if one.pseudonym.encode() in text]
