"""A roster has one form in bytes, whatever order its members came in."""

from __future__ import annotations

import hashlib

import pytest

from garim.statements import roster
from garim.statements.refusal import RefusedError
from garim.statements.roster import RosterMember

HANEUL = RosterMember("acct-2", ("하늘", "haneul_"), ("+821000001234",), ("haneul@example.test",))
DAON = RosterMember("acct-1", ("다온",))
GOLDEN = (
    '{"conversation":"room-1","members":['
    '{"account":"acct-1","emails":[],"names":["다온"],"phones":[]},'
    '{"account":"acct-2","emails":["haneul@example.test"],"names":["하늘","haneul_"],"phones":["+821000001234"]}'
    '],"title":"등산"}'
).encode()


def test_the_bytes_never_change_and_do_not_depend_on_the_order_of_members() -> None:
    assert roster.canonical("room-1", "등산", [HANEUL, DAON]) == GOLDEN
    assert roster.canonical("room-1", "등산", [DAON, HANEUL]) == GOLDEN
    assert roster.digest(GOLDEN) == hashlib.sha256(GOLDEN).digest()


def test_a_roster_reads_as_it_was_written() -> None:
    assert roster.parse(GOLDEN) == ("room-1", "등산", (DAON, HANEUL))


@pytest.mark.parametrize(
    "members", [[RosterMember("", ("x",))], [DAON, DAON], [DAON, RosterMember("acct-1", ())]]
)
def test_account_ids_are_present_and_unique(members: list[RosterMember]) -> None:
    with pytest.raises(RefusedError, match="ROSTER_MEMBER"):
        roster.canonical("room-1", "", members)


def test_a_roster_has_a_member() -> None:
    with pytest.raises(RefusedError, match="ROSTER_EMPTY"):
        roster.canonical("room-1", "", [])


@pytest.mark.parametrize(
    "data",
    [
        GOLDEN.replace(b'"title"', b' "title"'),
        GOLDEN.replace("등산".encode(), rb"\ub4f1\uc0b0"),
        GOLDEN.replace(b"}]", b'}],"more":1', 1),
        GOLDEN.replace(b'"emails":[],', b""),
        GOLDEN.replace(b'"names"', b'"name"', 1),
        GOLDEN.replace(b'["\xeb\x8b\xa4\xec\x98\xa8"]', b'"x"', 1),
        b'{"conversation":"a","members":1,"title":""}',
        b'{"conversation":"a","members":[1],"title":""}',
        b"{}",
    ],
)
def test_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match="ROSTER_FORM"):
        roster.parse(data)
