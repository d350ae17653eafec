"""Of each issuer the newest revocation list is kept for good, whoever takes it out of the folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from garim.kit import revocation_lists
from garim.kit.db import Database
from garim.kit.revocation_lists import RevocationLists
from garim.testing import documents
from garim.testing.clock import ManualClock
from garim.testing.pki import DocumentPki, make_pki

NOW = dt.datetime(2026, 9, 21, 9, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    metadata = sa.MetaData()
    revocation_lists.add_to(metadata)
    made = Database(tmp_path / "lists.db")
    with made.writing() as connection:
        metadata.create_all(connection)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "crls"
    made.mkdir()
    return made


@pytest.fixture
def lists(folder: Path, database: Database, pki: DocumentPki) -> RevocationLists:
    return RevocationLists(folder, database, ManualClock(documents.millis(pki)))


def test_the_newest_list_of_each_issuer_is_at_hand(
    lists: RevocationLists, folder: Path, pki: DocumentPki
) -> None:
    assert lists.at_hand(pki.trust) == []
    court, newer = pki.court_ca.crl(pki.now), pki.agency_ca.crl(pki.now, number=10)
    (folder / "a.crl").write_bytes(newer)
    (folder / "b.der").write_bytes(pki.agency_ca.crl(pki.now, number=9))
    (folder / "c.pem").write_bytes(court)
    assert sorted(lists.at_hand(pki.trust)) == sorted([court, newer])


@pytest.mark.parametrize("number", [8, 9])
def test_an_older_list_or_another_of_the_same_number_replaces_nothing(
    lists: RevocationLists, folder: Path, pki: DocumentPki, number: int
) -> None:
    kept = pki.agency_ca.crl(pki.now, [pki.chief.certificate], number=9)
    (folder / "a.crl").write_bytes(kept)
    assert lists.at_hand(pki.trust) == [kept]
    (folder / "a.crl").write_bytes(pki.agency_ca.crl(pki.now, number=number))
    assert lists.at_hand(pki.trust) == [kept]


def test_a_list_taken_away_stays_at_hand(
    lists: RevocationLists, folder: Path, database: Database, pki: DocumentPki
) -> None:
    kept = pki.agency_ca.crl(pki.now, [pki.chief.certificate])
    (folder / "a.crl").write_bytes(kept)
    lists.at_hand(pki.trust)
    (folder / "a.crl").unlink()
    folder.rmdir()
    again = RevocationLists(folder, database, ManualClock(documents.millis(pki)))
    assert again.at_hand(pki.trust) == [kept]


def test_numbers_count_as_numbers_however_long(
    lists: RevocationLists, folder: Path, pki: DocumentPki
) -> None:
    for number in (9, 10, 2**100):
        newest = pki.agency_ca.crl(pki.now, number=number)
        (folder / "a.crl").write_bytes(newest)
        assert lists.at_hand(pki.trust) == [newest]


def test_what_does_not_count_is_passed_over(lists: RevocationLists, folder: Path, pki: DocumentPki) -> None:
    (folder / "junk.pem").write_text("no list")
    (folder / "stale.der").write_bytes(pki.agency_ca.crl(pki.now - dt.timedelta(days=60), number=9))
    (folder / "README.txt").write_bytes(pki.agency_ca.crl(pki.now, number=9))
    (folder / "stranger.crl").write_bytes(make_pki(NOW).agency_ca.crl(pki.now, number=9))
    assert lists.at_hand(pki.trust) == []
