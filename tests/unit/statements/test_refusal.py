"""A refusal carries its machine-readable parts unchanged, and every reason found."""

from __future__ import annotations

import pytest

from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError


def test_a_refusal_carries_reason_message_kind_and_field() -> None:
    refused = RefusedError("SCOPE_PERIOD", "too long", kind=Kind.PRECONDITION, field="scope.period")
    assert (refused.reason, refused.message) == ("SCOPE_PERIOD", "too long")
    assert (refused.kind, refused.field) == (Kind.PRECONDITION, "scope.period")
    assert str(refused) == "SCOPE_PERIOD: too long (field scope.period)"


def test_a_refusal_is_of_invalid_input_without_a_field_unless_told_otherwise() -> None:
    refused = RefusedError("SCOPE_PERIOD", "too long")
    assert (refused.kind, refused.field) == (Kind.INVALID, "")
    assert str(refused) == "SCOPE_PERIOD: too long"


def test_all_reasons_come_back_and_the_first_leads() -> None:
    first = RefusedError("A", "first", kind=Kind.FORBIDDEN, field="a")
    second = RefusedError("B", "second")
    with pytest.raises(RefusedError) as refused:
        raise RefusedWithReasonsError([first, second])
    together = refused.value
    assert isinstance(together, RefusedWithReasonsError)
    assert together.reasons == (first, second)
    assert (together.reason, together.message, together.kind, together.field) == (
        "A",
        "first",
        Kind.FORBIDDEN,
        "a",
    )


def test_reasons_do_not_change_with_the_list_they_came_from() -> None:
    reasons = [RefusedError("A", "first")]
    together = RefusedWithReasonsError(reasons)
    reasons.clear()
    assert len(together.reasons) == 1


def test_there_is_no_refusal_without_a_reason() -> None:
    with pytest.raises(IndexError):
        RefusedWithReasonsError([])


def test_kinds_are_told_apart() -> None:
    assert len({kind.value for kind in Kind}) == len(Kind.__members__) == 8
