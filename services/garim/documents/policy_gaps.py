"""What a policy's dates leave open: times at which something has no basis, and citations that overlap."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator

from garim.documents.policy import Policy
from garim.documents.policy_model import Citation, Dated, cited

Holds = Callable[[int], bool]


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """Something that whoever keeps the policy should look at.

    Attributes:
        code: `GAP` or `OVERLAP`.
        where: Which entry of the file.
        from_ms: Its first instant, milliseconds since 1970.
        to_ms: The first instant behind it; null where it has no end.
    """

    code: str
    where: str
    from_ms: int
    to_ms: int | None


def remarks_on(policy: Policy) -> list[Remark]:
    """Return every gap and overlap since the first version began.

    A gap is a time at which an offence is not listed, a type of warrant, a rule or a duty has no citation, or
    no type of warrant reaches stored data. An overlap is one place in one statute cited twice for one time.

    Args:
        policy: The policy.
    """
    begin_ms = policy.versions[0].valid_from_ms
    dated = [*_dated(policy)]
    edges = sorted(
        {begin_ms}
        | {
            edge
            for one in dated
            for edge in (one.valid_from_ms, one.valid_to_ms)
            if edge is not None and edge > begin_ms
        }
    )
    remarks = [gap for where, holds in _claims(policy) for gap in _gaps(where, holds, edges)]
    for where, basis in _bases(policy):
        remarks += _overlaps(where, basis, edges)
    return remarks


def _claims(policy: Policy) -> Iterator[tuple[str, Holds]]:
    for offence in policy.file.offences:
        yield f"offences.{offence.id}", offence.listed
    for where, basis in _bases(policy):
        if not where.startswith("offences."):
            yield where, _has_citation(basis)
    types = policy.file.warrant_types
    yield "warrant_types", lambda at: any("stored" in one.reaches and one.holds(at) for one in types)


def _has_citation(basis: tuple[Citation, ...]) -> Holds:
    return lambda instant_ms: bool(cited(basis, instant_ms))


def _bases(policy: Policy) -> Iterator[tuple[str, tuple[Citation, ...]]]:
    for offence in policy.file.offences:
        yield f"offences.{offence.id}", (*offence.punished_by, *offence.listed_by)
    for warrant_type in policy.file.warrant_types:
        yield f"warrant_types.{warrant_type.id}", warrant_type.basis
    for rule in policy.file.rules:
        yield f"rules.{rule.id}", rule.basis
    for version in policy.versions:
        duties, where = version.duties, f"versions.{version.id}.duties"
        yield f"{where}.notify_subjects", duties.notify_subjects.basis
        yield f"{where}.participation", duties.participation.basis
        yield f"{where}.register", duties.register_.basis
        if duties.notify_subjects.deferral is not None:
            yield f"{where}.notify_subjects.deferral", duties.notify_subjects.deferral.basis


def _dated(policy: Policy) -> Iterator[Dated]:
    yield from policy.file.offences
    yield from policy.file.warrant_types
    for _, basis in _bases(policy):
        yield from basis


def _spans(edges: list[int]) -> Iterator[tuple[int, int | None]]:
    return zip(edges, [*edges[1:], None], strict=True)


def _gaps(where: str, holds: Holds, edges: list[int]) -> Iterator[Remark]:
    spans = [span for span in _spans(edges) if not holds(span[0])]
    while spans:
        first = spans.pop(0)
        to_ms = first[1]
        while spans and spans[0][0] == to_ms:
            to_ms = spans.pop(0)[1]
        yield Remark("GAP", where, first[0], to_ms)


def _overlaps(where: str, basis: tuple[Citation, ...], edges: list[int]) -> Iterator[Remark]:
    for one, other in itertools.combinations(basis, 2):
        if one.text == other.text:
            for from_ms, to_ms in _spans(edges):
                if one.holds(from_ms) and other.holds(from_ms):
                    yield Remark("OVERLAP", where, from_ms, to_ms)
                    break
