"""How identities are released: logged first, everything checked again, stored once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from custody_support.second import HOUR_MS, NAMES, Packed, SecondVault
from custody_support.vault import MESH
from garim.custody.deciding_unmask import end_request
from garim.custody.kinds import DOSSIER, REQUEST
from garim.custody.tables import dossiers, unmask
from garim.custody.tables.unmask import UnmaskRequest
from garim.kit.providers import KeyHandle
from garim.statements.receipts import IdentitiesReleased
from garim.statements.refusal import RefusedError
from garim.testing.operator import away


@pytest.fixture
def approved(vault: SecondVault, packed: Packed) -> UnmaskRequest:
    return vault.approve(vault.ask(packed), "ga-on", "na-rae")


def nothing_leaves(vault: SecondVault, request: UnmaskRequest, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        vault.collecting.collect(request.id)
    assert caught.value.reason == reason, caught.value
    assert vault.find(request).answer is None


def test_two_of_three_custodians_open_one_persons_identity_for_the_recipient_alone(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)
    vault.approve(request, "na-rae")
    answer = vault.collecting.collect(request.id)
    assert vault.opened(answer, packed) == {NAMES[0]: {"type": "PERSON", "value": NAMES[0]}}
    assert vault.find(request).state == "released"
    assert vault.logged("identities-released") == 1


def test_every_pair_of_custodians_opens_it(vault: SecondVault, packed: Packed) -> None:
    for name, people in zip(
        NAMES, [("da-som", "ga-on"), ("da-som", "na-rae"), ("ga-on", "na-rae")], strict=True
    ):
        request = vault.approve(vault.ask(packed, name), *people)
        assert vault.opened(vault.collecting.collect(request.id), packed).keys() == {name}


def test_a_repeated_collect_returns_the_same_bytes(vault: SecondVault, approved: UnmaskRequest) -> None:
    first = vault.collecting.collect(approved.id)
    assert vault.collecting.collect(approved.id) == first
    vault.keeper.tick()
    assert vault.collecting.collect(approved.id) == first
    assert vault.logged("identities-released") == 1


def test_stored_bytes_are_refused_while_frozen_revoked_or_cancelled(
    vault: SecondVault, packed: Packed
) -> None:
    requests = [vault.approve(vault.ask(packed, name), "ga-on", "na-rae") for name in NAMES[:2]]
    for one in requests:
        vault.collecting.collect(one.id)
    vault.freeze()
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.collecting.collect(requests[0].id)
    vault.thaw("ga-on", "na-rae")
    assert vault.collecting.collect(requests[0].id)
    vault.revoke_request(requests[0])
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        vault.collecting.collect(requests[0].id)
    assert vault.collecting.collect(requests[1].id)
    vault.revoke(packed)
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        vault.collecting.collect(requests[1].id)
    assert vault.find(requests[1]).state == "released"


@pytest.mark.parametrize("state", ["cancelled", "refused"])
def test_a_case_that_is_granted_no_more_releases_nothing(
    vault: SecondVault, approved: UnmaskRequest, state: str
) -> None:
    vault.warrants.state = state
    nothing_leaves(vault, approved, "CASE_STATE")
    vault.warrants.state = "granted"
    vault.warrants.refusal = away()
    nothing_leaves(vault, approved, "CASE_STATUS")


@pytest.mark.parametrize("which", ["first", "second"])
def test_each_of_the_two_cases_must_be_granted(
    vault: SecondVault, packed: Packed, approved: UnmaskRequest, which: str
) -> None:
    vault.cancelled(packed.dossier.document_digest if which == "first" else approved.document_digest)
    nothing_leaves(vault, approved, "CASE_STATE")
    assert vault.logged("identities-released") == 0


def test_both_cases_are_asked_about(vault: SecondVault, approved: UnmaskRequest) -> None:
    before = vault.warrants.asked
    vault.collecting.collect(approved.id)
    assert vault.warrants.asked == before + 2


def test_a_status_older_than_a_minute_releases_nothing(vault: SecondVault, approved: UnmaskRequest) -> None:
    vault.before("identities-released", lambda: vault.clock.advance(60_000))
    nothing_leaves(vault, approved, "CASE_STATUS")
    assert vault.collecting.collect(approved.id)


RACES: list[tuple[str, Callable[[SecondVault, Packed, UnmaskRequest], Any]]] = [
    ("FROZEN", lambda vault, packed, request: vault.freeze()),
    ("DOCUMENT_REVOKED", lambda vault, packed, request: vault.revoke(packed)),
    ("DOCUMENT_REVOKED", lambda vault, packed, request: vault.revoke_request(request)),
    ("REQUEST_STATE", lambda vault, packed, request: vault.deny(request, "ga-on", "na-rae")),
    ("REQUEST_UNDECIDED", lambda vault, packed, request: vault.deny(request, "ga-on")),
    ("REQUEST_UNDECIDED", lambda vault, packed, request: vault.own.put_in_force(next_version(vault))),
    ("DOSSIER_EXPIRED", lambda vault, packed, request: drop_key(vault, packed)),
]


@pytest.mark.parametrize(("reason", "act"), RACES)
def test_what_stops_a_release_after_the_log_has_answered_stops_it(
    vault: SecondVault,
    packed: Packed,
    approved: UnmaskRequest,
    reason: str,
    act: Callable[[SecondVault, Packed, UnmaskRequest], Any],
) -> None:
    if "put_in_force" in act.__code__.co_names:
        prepare_next(vault)
    vault.while_opening(lambda: act(vault, packed, approved))
    nothing_leaves(vault, approved, reason)
    assert vault.logged("identities-released") == 1


@pytest.mark.parametrize(("reason", "act"), RACES[:5])
def test_what_stops_a_release_while_it_is_logged_stops_it(
    vault: SecondVault,
    packed: Packed,
    approved: UnmaskRequest,
    reason: str,
    act: Callable[[SecondVault, Packed, UnmaskRequest], Any],
) -> None:
    vault.before("identities-released", lambda: act(vault, packed, approved))
    with pytest.raises(RefusedError):
        vault.collecting.collect(approved.id)
    assert vault.find(approved).answer is None


@pytest.mark.parametrize(("reason", "act"), RACES[:5])
def test_what_stops_a_release_before_it_begins_stops_it(
    vault: SecondVault,
    packed: Packed,
    approved: UnmaskRequest,
    reason: str,
    act: Callable[[SecondVault, Packed, UnmaskRequest], Any],
) -> None:
    act(vault, packed, approved)
    with pytest.raises(RefusedError):
        vault.collecting.collect(approved.id)
    assert vault.find(approved).answer is None
    assert vault.logged("identities-released") == 0


def prepare_next(vault: SecondVault) -> None:
    """Log the next version with its decisions, so that a test can put it in force in a moment."""
    document = vault.next_governance(issued=1)
    kept: list[Any] = []
    plain = vault.own.put_in_force
    vault.own.put_in_force = kept.append  # type: ignore[method-assign,assignment]
    vault.govern(document, "ga-on", "na-rae")
    vault.own.put_in_force = plain  # type: ignore[method-assign]
    vault.prepared = kept[0]  # type: ignore[attr-defined]


def next_version(vault: SecondVault) -> Any:
    return vault.prepared  # type: ignore[attr-defined]


def drop_key(vault: SecondVault, packed: Packed) -> None:
    with vault.database.writing() as connection:
        dossiers.drop_key(connection, packed.dossier.id)


def test_a_freeze_from_another_thread_beats_a_release_that_waits_for_the_log(
    vault: SecondVault, approved: UnmaskRequest
) -> None:
    waits, goes_on = threading.Event(), threading.Event()

    def hold() -> None:
        waits.set()
        assert goes_on.wait(20)

    vault.before("identities-released", hold)
    ended: list[BaseException] = []

    def collect() -> None:
        try:
            vault.collecting.collect(approved.id)
        except RefusedError as error:
            ended.append(error)

    thread = threading.Thread(target=collect)
    thread.start()
    assert waits.wait(20)
    vault.freeze()
    goes_on.set()
    thread.join(20)
    assert [getattr(one, "reason", "") for one in ended] == ["FROZEN"]
    assert vault.find(approved).answer is None


def test_an_approval_of_an_opened_subset_that_is_taken_back_stops_the_release(
    vault: SecondVault, packed: Packed
) -> None:
    """Another pair would suffice, but it is not their shares that opened the identity."""
    request = vault.approve(vault.ask(packed), "da-som", "ga-on", "na-rae")
    subset = ("da-som", "ga-on")
    vault.while_opening(lambda: vault.deny(request, subset[0]))
    nothing_leaves(vault, request, "REQUEST_UNDECIDED")
    assert vault.opened(vault.collecting.collect(request.id), packed)


def test_no_log_no_release_and_the_next_collect_completes_it(
    vault: SecondVault, packed: Packed, approved: UnmaskRequest
) -> None:
    vault.operator.audit.misbehaviour.silent = True
    nothing_leaves(vault, approved, "LOG_UNAVAILABLE")
    assert not any(b'"open-identities"' in one for one in vault.opener.jobs)
    assert vault.find(approved).state == "releasing"
    vault.operator.audit.misbehaviour.silent = False
    assert vault.opened(vault.collecting.collect(approved.id), packed)


def test_an_answer_of_the_log_that_was_lost_releases_nothing_and_is_found_again(
    vault: SecondVault, packed: Packed, approved: UnmaskRequest
) -> None:
    vault.operator.audit.misbehaviour.silent_after_append = True
    nothing_leaves(vault, approved, "LOG_UNAVAILABLE")
    vault.operator.audit.misbehaviour.silent_after_append = False
    assert vault.opened(vault.collecting.collect(approved.id), packed)
    assert vault.logged("identities-released") == 1


def test_a_crash_after_the_log_has_answered_is_completed_by_the_next_collect(
    vault: SecondVault, packed: Packed, approved: UnmaskRequest
) -> None:
    def crash() -> None:
        raise RuntimeError

    vault.while_opening(crash)
    with pytest.raises(RuntimeError):
        vault.collecting.collect(approved.id)
    vault.clock.advance(5 * 60_000)
    assert vault.opened(vault.collecting.collect(approved.id), packed)


@pytest.mark.parametrize("jump_ms", [121_000, -121_000])
def test_a_clock_that_jumps_releases_nothing(
    vault: SecondVault, approved: UnmaskRequest, jump_ms: int
) -> None:
    class Shifted:
        def now_ms(self) -> int:
            return vault.operator.clock.now_ms() + jump_ms

        def monotonic_ms(self) -> int:
            return vault.operator.clock.monotonic_ms()

    vault.core.journal._clock = Shifted()
    nothing_leaves(vault, approved, "LOG_TIME")


def test_expiry_is_judged_at_the_time_in_the_releases_log_entry(vault: SecondVault) -> None:
    packed = vault.pack(unmask_until=vault.clock.now_ms() + HOUR_MS)
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae", expires=vault.clock.now_ms() + 3 * HOUR_MS)
    vault.clock.advance(HOUR_MS - 60_000)
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    nothing_leaves(vault, request, "REQUEST_EXPIRED")


def test_approvals_expire_at_the_time_in_the_releases_log_entry(
    vault: SecondVault, approved: UnmaskRequest
) -> None:
    vault.clock.advance(HOUR_MS - 60_000)
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    nothing_leaves(vault, approved, "REQUEST_UNDECIDED")


def test_a_request_whose_time_is_over_is_expired_by_a_collect(vault: SecondVault) -> None:
    packed = vault.pack(unmask_until=vault.clock.now_ms() + HOUR_MS)
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae", expires=vault.clock.now_ms() + 9 * HOUR_MS)
    vault.clock.advance(HOUR_MS)
    nothing_leaves(vault, request, "REQUEST_STATE")
    assert vault.find(request).state == "expired"


def test_an_ended_request_does_not_undo_a_release(vault: SecondVault, approved: UnmaskRequest) -> None:
    answer = vault.collecting.collect(approved.id)
    vault.clock.advance(15 * 24 * HOUR_MS)
    assert vault.collecting.collect(approved.id) == answer
    assert vault.find(approved).state == "released"


@pytest.mark.parametrize("state", ["denied", "expired", "revoked"])
def test_what_is_finished_is_not_ended_again(vault: SecondVault, approved: UnmaskRequest, state: Any) -> None:
    vault.collecting.collect(approved.id)
    with vault.database.writing() as connection:
        end_request(connection, approved.id, state, vault.clock.now_ms())
    assert vault.find(approved).state == "released"


def test_a_denial_that_comes_with_the_release_does_not_undo_it(vault: SecondVault, packed: Packed) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    stale = vault.find(request)
    vault.collecting.collect(request.id)
    with pytest.raises(RefusedError, match="REQUEST_STATE"):
        vault.decisions._deny(stale, "da-som", vault.decision("da-som", "deny", request.subject), "00" * 32)
    assert vault.find(request).state == "released"


def test_two_collects_at_once_release_once(
    vault: SecondVault, packed: Packed, approved: UnmaskRequest
) -> None:
    inner: list[bytes] = []
    vault.while_opening(lambda: inner.append(vault.collecting.collect(approved.id)))
    with pytest.raises(RefusedError, match="REQUEST_STATE"):
        vault.collecting.collect(approved.id)
    assert vault.collecting.collect(approved.id) == inner[0]


def test_the_one_time_key_and_its_shares_are_destroyed_after_the_release(
    vault: SecondVault, approved: UnmaskRequest
) -> None:
    vault.collecting.collect(approved.id)
    with vault.database.reading() as connection:
        assert unmask.shares(connection, approved.id) == []
    vault.keeper.tick()
    assert not vault.provider.exists(KeyHandle(REQUEST, approved.id))
    assert vault.find(approved).wrapped_private is None


def test_undecided_requests_expire_with_their_dossier(vault: SecondVault) -> None:
    packed = vault.pack(unmask_until=vault.clock.now_ms() + HOUR_MS)
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    vault.clock.advance(HOUR_MS)
    vault.keeper.tick()
    assert vault.find(request).state == "expired"
    assert vault.provider.list(REQUEST) == vault.provider.list(DOSSIER) == []
    nothing_leaves(vault, request, "REQUEST_STATE")


def test_a_released_request_without_its_bytes_needs_a_new_document(
    vault: SecondVault, approved: UnmaskRequest
) -> None:
    vault.collecting.collect(approved.id)
    with vault.database.writing() as connection:
        unmask.change(connection, approved.id, answer=None)
    nothing_leaves(vault, approved, "REQUEST_STATE")


def test_the_log_learns_which_pseudonyms_are_opened_and_never_their_values(
    vault: SecondVault, packed: Packed, approved: UnmaskRequest
) -> None:
    bodies: list[bytes] = []
    plain = vault.core.journal.append

    def append(kind: str, body: bytes, **options: Any) -> Any:
        bodies.append(body)
        return plain(kind, body, **options)

    vault.core.journal.append = append  # type: ignore[method-assign]
    vault.collecting.collect(approved.id)
    released = IdentitiesReleased.from_bytes(bodies[0])
    assert released.mesh == MESH
    assert [one.pseudonym for one in released.identities] == [NAMES[0]]
    assert packed.plain[NAMES[0]] not in bodies[0]
