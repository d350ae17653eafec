"""The blinded tags of a document's subjects, epoch by epoch: from living keys or from an order."""

from __future__ import annotations

import dataclasses
import threading

from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.epochs import wrapped_index
from garim.custody.preserved import Preserved
from garim.custody.tables import epochs
from garim.custody.tables.epochs import Epoch
from garim.statements.grants import Period, Subject

PRODUCER_SKEW_MS = 3_600_000
"""How far a producer's clock may run ahead of the store's."""


RECENT_MS = 60_000


@dataclasses.dataclass(frozen=True, slots=True)
class Covered:
    """The epochs that a document touches.

    Attributes:
        tags: Sorted tags by epoch id, of every epoch that lives or is preserved.
        destroyed: How many epochs are past retention and not preserved.
    """

    tags: dict[str, tuple[bytes, ...]]
    destroyed: int


def touches(epoch: Epoch, period: Period, received_until_ms: int) -> bool:
    """Tell whether an epoch can hold messages of a period.

    An epoch is a span of received-at, a period one of sent-at; what was sent in the period may arrive long
    after it, but not after the document's issue.

    Args:
        epoch: The epoch.
        period: Sent-at span.
        received_until_ms: The document's issue.
    """
    return epoch.not_before_ms <= received_until_ms and epoch.not_after_ms + PRODUCER_SKEW_MS > period.start


def lives(core: Core, epoch: Epoch, now_ms: int) -> bool:
    """Tell whether an epoch is within retention; past it nothing is released, destroyed or not."""
    retention_ms = core.governance.current().terms.retention
    return epoch.wrapped_private is not None and now_ms < epoch.released_until(retention_ms)


def tags_of(core: Core, epoch: Epoch, subjects: tuple[Subject, ...]) -> tuple[bytes, ...]:
    """Return the sorted tags of subjects in a living epoch; its index key is opened in the opener alone."""
    job = jobs.BlindSubjects(
        mesh=core.mesh,
        index=wrapped_index(epoch),
        subjects=tuple(jobs.NamedSubject(kind=one.kind, value=one.value) for one in subjects),
    )
    return jobs.Tags.model_validate_json(core.opener.run(job.encode())).tags


class RecentTags:
    """Tags that were asked for within the last minute, so that a dossier's many releases ask for them once.

    They are what a scope ticket shows the store; whether their epoch still lives is judged at every release.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, tuple[Subject, ...]], tuple[int, tuple[bytes, ...]]] = {}

    def of(self, epoch: Epoch, subjects: tuple[Subject, ...]) -> tuple[bytes, ...]:
        """Return the sorted tags of subjects in a living epoch; see `tags_of`."""
        now_ms = self._core.clock.now_ms()
        with self._lock:
            self._kept = {key: one for key, one in self._kept.items() if 0 <= now_ms - one[0] < RECENT_MS}
            known = self._kept.get((epoch.id, subjects))
        if known is not None:
            return known[1]
        tags = tags_of(self._core, epoch, subjects)
        with self._lock:
            self._kept[epoch.id, subjects] = (now_ms, tags)
        return tags


def covered(
    core: Core,
    subjects: tuple[Subject, ...],
    period: Period,
    received_until_ms: int,
    preserved: Preserved | None,
) -> Covered:
    """Return the tags of all epochs that a document touches.

    Args:
        core: Custody's means.
        subjects: Whom the document names.
        period: Sent-at span.
        received_until_ms: The document's issue.
        preserved: What a preservation order keeps for this document, if one does.
    """
    now_ms = core.clock.now_ms()
    with core.database.reading() as connection:
        known = epochs.ending_after(connection, period.start - PRODUCER_SKEW_MS)
    tags: dict[str, tuple[bytes, ...]] = {}
    destroyed = 0
    for epoch in known:
        if not touches(epoch, period, received_until_ms):
            continue
        if lives(core, epoch, now_ms):
            tags[epoch.id] = tuple(sorted(tags_of(core, epoch, subjects)))
        elif preserved is not None and preserved.holds(epoch.id):
            tags[epoch.id] = tuple(sorted(preserved.tags(epoch.id, subjects)))
        else:
            destroyed += 1
    return Covered(tags, destroyed)
