"""k custodians of n open a dossier's key; k - 1, in whatever mixture, cannot."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable

import pytest

from garim.sealing import hpke, quorum
from garim.sealing.quorum import OpenShare, SealedShare
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

MESH = "test.mesh"
DOSSIER = b"\x03" * 16
REQUEST = b"\x04" * 16
NAMES = ("da-som", "ga-on", "ma-ru", "na-rae")
K = 3


@functools.cache
def people() -> dict[str, tuple[Secret, bytes]]:
    return {name: hpke.generate() for name in NAMES}


def q() -> Secret:
    return Secret(bytearray(range(32)))


@functools.cache
def split() -> tuple[SealedShare, ...]:
    return tuple(quorum.split(q(), MESH, DOSSIER, {name: key[1] for name, key in people().items()}, K))


def held_by(*names: str) -> list[OpenShare]:
    return [
        quorum.open_share(one, people()[one.custodian][0], MESH, DOSSIER)
        for one in split()
        if one.custodian in names
    ]


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


def test_there_is_a_share_for_each_member_of_each_subset() -> None:
    found = [(one.subset, one.custodian) for one in split()]
    assert found == [(subset, name) for subset in itertools.combinations(NAMES, K) for name in subset]


@pytest.mark.parametrize("chosen", list(itertools.combinations(NAMES, K)))
def test_every_quorum_opens(chosen: tuple[str, ...]) -> None:
    shares = [one for one in held_by(*chosen) if one.subset == chosen]
    assert quorum.combine(shares) == q()
    assert quorum.combine(shares[::-1]) == q()


@pytest.mark.parametrize("chosen", list(itertools.combinations(NAMES, K - 1)))
def test_one_custodian_too_few_cannot_open_with_all_shares_they_hold(chosen: tuple[str, ...]) -> None:
    held = held_by(*chosen)
    for size in range(len(held) + 1):
        for mixed in itertools.combinations(held, size):
            assert reason(functools.partial(quorum.combine, list(mixed))) == "SHARES_INCOMPLETE"
    # Nor does any sum of what they hold equal Q, whatever `combine` checks.
    for size in range(1, len(held) + 1):
        for mixed in itertools.combinations(held, size):
            total = bytearray(32)
            for one in mixed:
                total = bytearray(a ^ b for a, b in zip(total, one.share.buffer, strict=True))
            assert Secret(total) != q()


def test_shares_of_different_subsets_do_not_combine() -> None:
    first, second = list(itertools.combinations(NAMES, K))[:2]
    held = held_by(*NAMES)
    mixed = [one for one in held if one.subset == first][:2]
    mixed += [
        one for one in held if one.subset == second and one.custodian not in {m.custodian for m in mixed}
    ]
    assert reason(lambda: quorum.combine(mixed)) == "SHARES_INCOMPLETE"


def test_one_custodians_share_does_not_count_twice() -> None:
    first = [one for one in held_by(*NAMES) if one.subset == NAMES[:K]]
    assert reason(lambda: quorum.combine([first[0], first[0], first[1]])) == "SHARES_INCOMPLETE"
    assert reason(lambda: quorum.combine([*first, first[0]])) == "SHARES_INCOMPLETE"


def test_two_splits_share_no_share() -> None:
    public = {name: key[1] for name, key in people().items()}
    again = quorum.split(q(), MESH, DOSSIER, public, K)
    assert not {one.digest for one in again} & {one.digest for one in split()}
    assert len({one.digest for one in split()}) == len(split())


def test_splitting_leaves_q_as_it_was() -> None:
    before = q()
    quorum.split(before, MESH, DOSSIER, {name: key[1] for name, key in people().items()}, 2)
    assert before == q()


@pytest.mark.parametrize(
    ("n", "k"), [(1, 1), (2, 1), (2, 2), (3, 1), (3, 3), (3, 4), (4, 0), (8, 4), (4, -1)]
)
def test_a_quorum_is_more_than_one_and_fewer_than_all_of_at_most_seven(n: int, k: int) -> None:
    public = people()["ga-on"][1]
    custodians = {f"person-{number}": public for number in range(n)}
    assert reason(lambda: quorum.split(q(), MESH, DOSSIER, custodians, k)) == "QUORUM_SIZE"


def test_a_share_opens_only_for_its_custodian_subset_dossier_and_mesh() -> None:
    one = split()[0]
    private = people()[one.custodian][0]
    other = people()[one.subset[1]][0]
    assert quorum.open_share(one, private, MESH, DOSSIER).custodian == one.custodian
    for moved, key, mesh, dossier in [
        (one, other, MESH, DOSSIER),
        (dataclasses.replace(one, custodian=one.subset[1]), private, MESH, DOSSIER),
        (dataclasses.replace(one, subset=(*one.subset[:2], "na-rae")), private, MESH, DOSSIER),
        (one, private, "other.mesh", DOSSIER),
        (one, private, MESH, b"\x05" * 16),
    ]:
        call = functools.partial(quorum.open_share, moved, key, mesh, dossier)
        assert reason(call) == "SEALING_OPEN"


def test_a_wrong_share_is_attributed_to_its_custodian() -> None:
    one = split()[0]
    assert reason(lambda: quorum.check_share(Secret(bytearray(32)), one.digest)) == "SHARE_WRONG"
    swapped = dataclasses.replace(one, digest=split()[1].digest)
    private = people()[one.custodian][0]
    assert reason(lambda: quorum.open_share(swapped, private, MESH, DOSSIER)) == "SHARE_WRONG"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_share_of_another_length_is_refused(size: int) -> None:
    shares = [one for one in held_by(*NAMES) if one.subset == NAMES[:K]]
    shares[1] = dataclasses.replace(shares[1], share=Secret(bytearray(size)))
    assert reason(lambda: quorum.combine(shares)) == "SHARE_WRONG"


def test_an_approvals_share_opens_for_its_request_alone() -> None:
    private, public = hpke.generate()
    share = held_by("ga-on")[0]
    sealed = quorum.reseal_for_request(share, public, MESH, REQUEST, DOSSIER)
    opened = quorum.open_for_request(sealed, private, MESH, REQUEST, DOSSIER, share.subset, "ga-on")
    assert opened == share
    for where in [
        ("other.mesh", REQUEST, DOSSIER, share.subset, "ga-on"),
        (MESH, b"\x05" * 16, DOSSIER, share.subset, "ga-on"),
        (MESH, REQUEST, b"\x05" * 16, share.subset, "ga-on"),
        (MESH, REQUEST, DOSSIER, share.subset[1:], "ga-on"),
        (MESH, REQUEST, DOSSIER, share.subset, "da-som"),
    ]:
        call = functools.partial(quorum.open_for_request, sealed, private, *where)
        assert reason(call) == "SEALING_OPEN"


def test_a_successor_takes_the_leaving_custodians_share_and_can_check_it() -> None:
    private, public = hpke.generate()
    one = next(share for share in split() if share.custodian == "ga-on")
    share = quorum.open_share(one, people()["ga-on"][0], MESH, DOSSIER)
    sealed = quorum.reseal_for_successor(share, public, "so-ra", MESH, DOSSIER)
    theirs = SealedShare(one.subset, "ga-on", sealed, one.digest, "so-ra")
    assert quorum.open_share(theirs, private, MESH, DOSSIER).share == share.share
    forged = dataclasses.replace(theirs, digest=bytes(32))
    assert reason(lambda: quorum.open_share(forged, private, MESH, DOSSIER)) == "SHARE_WRONG"


def test_incomplete_shares_are_a_matter_of_state() -> None:
    with pytest.raises(RefusedError) as refused:
        quorum.combine([])
    assert refused.value.kind is Kind.PRECONDITION
