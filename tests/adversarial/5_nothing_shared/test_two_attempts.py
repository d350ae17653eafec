"""Two dossiers of one person, compared byte by byte: an attempt takes nothing over from another."""

from __future__ import annotations

import base64
import itertools
import json
import re
from typing import Any

import pytest

from garim.statements.roster import RosterMember
from redaction_support.scope import DAON, HOUR, NOW, Dossier, Scope, text

ROOMS = 12
WINDOW = 12
BYSTANDERS = [RosterMember(f"acct-{100 + at}", (f"이웃{at}호",)) for at in range(ROOMS)]
AGE_HEADER = len(b"age-encryption.org/v1\n-> X25519 ")


def windows(data: bytes) -> set[bytes]:
    """Return every run of twelve bytes: two that share one by chance are not to be expected."""
    return {data[at : at + WINDOW] for at in range(len(data) - WINDOW + 1)}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dossier, Dossier]:
    scope = Scope()
    epoch = scope.epoch()
    at = itertools.count(NOW - HOUR)
    for number, bystander in enumerate(BYSTANDERS):
        room = scope.room(epoch, f"room-{number}", [DAON, bystander])
        said = [
            text(next(at), bystander, f"{number}번 방이야"),
            text(next(at), DAON, f"{bystander.names[0]}아 안녕"),
            text(next(at), DAON, f"010-0000-{7000 + number}로 전화해"),
        ]
        scope.put(epoch, room, said)
    first, second = (scope.made(tmp_path_factory.mktemp("attempt")) for _ in range(2))
    return first, second


def random_parts(dossier: Dossier) -> set[str]:
    return {half for one in dossier.opened.identities() for half in one.pseudonym.split("-")[-2:]}


def identity_order(dossier: Dossier) -> list[Any]:
    opened = dossier.identities()
    return [opened[one.pseudonym]["value"] for one in dossier.opened.identities()]


def test_no_pseudonym_and_no_half_of_one_is_shared(pair: tuple[Dossier, Dossier]) -> None:
    first, second = ({one.pseudonym for one in it.opened.identities()} for it in pair)
    assert len(first) == len(second) == 2 * ROOMS
    assert not first & second
    # A half has 25 bits: by chance two dossiers of this size share one in some 15,000 runs.
    assert len(random_parts(pair[0]) & random_parts(pair[1])) <= 1


def test_no_sealed_value_shares_bytes_with_another(pair: tuple[Dossier, Dossier]) -> None:
    first, second = ({one.sealed for one in it.opened.identities()} for it in pair)
    seen: set[bytes] = set()
    for sealed in (*first, *second):
        found = windows(sealed)
        assert not seen & found
        seen |= found
    assert {len(one) for one in first} == {len(one) for one in second}


def test_no_sealing_secret_and_no_root_is_shared(pair: tuple[Dossier, Dossier]) -> None:
    first, second = (it.packed for it in pair)
    sealed = [windows(base64.b64decode(one.sealed_secret)) for one in (first, second)]
    assert not sealed[0] & sealed[1]
    assert first.identities_root != second.identities_root
    assert first.messages_root != second.messages_root
    assert first.package != second.package


def test_no_identity_of_one_opens_with_the_others_secret(pair: tuple[Dossier, Dossier]) -> None:
    mixed = Dossier(pair[0].scope, pair[0].packed, pair[1].opened, pair[1].plain)
    with pytest.raises(Exception, match="SEALING_OPEN"):
        mixed.identities()


def test_no_salt_is_shared(pair: tuple[Dossier, Dossier]) -> None:
    salts = [one for it in pair for one in it.opened.salts()]
    assert len(salts) == 2 * 3 * ROOMS
    assert len(set(salts)) == len(salts)


def test_conversations_are_numbered_in_another_order(pair: tuple[Dossier, Dossier]) -> None:
    orders = []
    for dossier in pair:
        lines = list(dossier.opened.messages())
        rooms = {line.number.partition("-")[0]: line.text for line in lines if line.text.endswith("방이야")}
        assert {int(one[1:]) for one in rooms} == set(range(1, ROOMS + 1))
        orders.append([rooms[f"C{number}"] for number in range(1, ROOMS + 1)])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_identities_stand_in_another_order(pair: tuple[Dossier, Dossier]) -> None:
    first, second = (identity_order(it) for it in pair)
    assert sorted(first) == sorted(second)
    assert first != second


def test_the_encrypted_packages_share_no_bytes(pair: tuple[Dossier, Dossier]) -> None:
    packages = [
        (it.opened.folder.parent / "package.age").read_bytes()[AGE_HEADER:].replace(b"\n--- ", b"\n")
        for it in pair
    ]
    assert not windows(packages[0]) & windows(packages[1])


def test_what_names_nobody_is_all_that_two_dossiers_have_in_common(pair: tuple[Dossier, Dossier]) -> None:
    mask = re.compile(r"[A-Z][A-Z0-9_]*-[0-9A-Z]{5}-[0-9A-Z]{5}")
    common = []
    for dossier in pair:
        shown = {mask.sub("", line.text) for line in dossier.opened.messages()}
        common.append(shown)
        assert not any(name in json.dumps(sorted(shown)) for one in BYSTANDERS for name in one.names)
    assert common[0] == common[1]
    lines = [set(it.opened.raw_lines()) for it in pair]
    assert not lines[0] & lines[1]
