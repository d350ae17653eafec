"""What a bench finds: figures beside their peers, printed as one table or written as JSON."""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: medians over the runs.

    Attributes:
        name: What was measured.
        value: How much.
        unit: Of value and peer.
        peer: What it is compared with; empty where there is nothing.
        peer_value: How much that was in the same runs.
        ratio: Median of the runs' ratios of value to peer.
        target: What the ratio, or without a peer the value, has to be; None where it is only reported.
        at_most: Whether the target is an upper bound.
        runs: How many runs.
        conditions: Under what it was measured, in words.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float | None
    ratio: float | None
    target: float | None
    at_most: bool
    runs: int
    conditions: str

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without one."""
        if self.target is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured <= self.target if self.at_most else measured >= self.target


def compared(
    name: str,
    unit: str,
    values: Sequence[float],
    peer: str,
    peer_values: Sequence[float],
    *,
    target: float | None = None,
    at_most: bool = False,
    conditions: str = "",
) -> Figure:
    """Return a figure beside its peer.

    Args:
        name: What was measured.
        unit: Of all values.
        values: One a run.
        peer: What it is compared with.
        peer_values: The peer's, one a run, in the same order.
        target: What the ratio has to be.
        at_most: Whether the target is an upper bound.
        conditions: Under what it was measured.
    """
    ratios = [own / other for own, other in zip(values, peer_values, strict=True)]
    return Figure(
        name,
        statistics.median(values),
        unit,
        peer,
        statistics.median(peer_values),
        statistics.median(ratios),
        target,
        at_most,
        len(values),
        conditions,
    )


def reported(
    name: str,
    unit: str,
    values: Sequence[float],
    *,
    target: float | None = None,
    at_most: bool = False,
    conditions: str = "",
) -> Figure:
    """Return a figure that nothing stands beside; see `compared`."""
    return Figure(
        name, statistics.median(values), unit, "", None, None, target, at_most, len(values), conditions
    )


def figures_table(figures: Sequence[Figure]) -> Table:
    """Return the one table of figures, with their conditions below it."""
    conditions = list(dict.fromkeys(one.conditions for one in figures))
    caption = "\n".join(f"{number}: {text}" for number, text in enumerate(conditions, start=1))
    table = Table(
        "figure",
        "measured",
        "peer in the same run",
        "peer",
        "ratio",
        "target",
        "under",
        caption=caption,
        caption_justify="left",
    )
    for one in figures:
        bound = "" if one.target is None else f"{'≤' if one.at_most else '≥'} {_number(one.target)}"
        mark = {None: "", True: " ✓", False: " ✗"}[one.met]
        table.add_row(
            one.name,
            f"{_number(one.value)} {one.unit}",
            one.peer,
            "" if one.peer_value is None else _number(one.peer_value),
            "" if one.ratio is None else f"{one.ratio:.2f}x",
            bound + mark,
            str(conditions.index(one.conditions) + 1),
        )
    return table


def figures_json(figures: Iterable[Figure], load: Sequence[float]) -> dict[str, Any]:
    """Return figures as JSON, with the machine that made them.

    Args:
        figures: The figures.
        load: The machine's load before the first.
    """
    return {
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": {"before": list(load), "after": list(os.getloadavg())},
        "figures": [{**asdict(one), "met": one.met} for one in figures],
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
