"""Predicted masks against gold spans: what `garim redact score` counts.

Definitions are those of the shared score.py, to the digit: a gold span is *covered* when each of its
characters that is no white space lies under some predicted span, whatever that span's type; predicted
characters outside every gold span are *over-masked*. Offsets are code points, ends exclusive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LONG_NUMBER = 4
"""From so many digits on, a span's digits are also counted for themselves."""
_SHOWN_CHARS = 300


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What counts as gold and as predicted.

    Args:
        gold_types: Only these types are gold, the others plain text; None: all.
        ignore_types: Spans of these types are neither leak nor hit.
        pred_types: Only predictions of these types are used; None: all.
        drop_pred_types: Predictions of these types are not used.
        ignore_tiers: Spans of these tiers are neither leak nor hit.
        plain_tiers: Spans of these tiers are plain text.
        skip_symbol_spans: Gold spans without letter or digit are ignored.
        group_by: Field of the gold rows by whose values it is also reported; "" for none.
        misses: How many leaks and over-masked rows are listed.
    """

    gold_types: frozenset[str] | None = None
    ignore_types: frozenset[str] = frozenset()
    pred_types: frozenset[str] | None = None
    drop_pred_types: frozenset[str] = frozenset()
    ignore_tiers: frozenset[str] = frozenset({"ambiguous"})
    plain_tiers: frozenset[str] = frozenset()
    skip_symbol_spans: bool = False
    group_by: str = ""
    misses: int = 0


@dataclass(slots=True)
class Predictions:
    """Predicted spans by row.

    Args:
        spans: Start and end of each used span, by the row's id; a row without any is there too.
        seconds: What the detector took for all rows, if it says so.
    """

    spans: dict[Any, list[tuple[int, int]]] = field(default_factory=dict)
    seconds: float | None = None


def read_predictions(rows: Iterable[Mapping[str, Any]], options: ScoreOptions) -> Predictions:
    """Collect the predictions that count.

    Args:
        rows: `{id, spans: [{start, end, type?}]}`, and `{seconds}` anywhere.
        options: Which types count.

    Raises:
        RefusedError: `ROW_MALFORMED`.
    """
    found = Predictions()
    for number, row in enumerate(rows, 1):
        if "id" not in row:
            found.seconds = row.get("seconds", found.seconds)
            continue
        kept = found.spans.setdefault(row["id"], [])
        for span in row.get("spans", ()):
            start, end = _bounds(span, f"prediction {number}")
            kind = span.get("type")
            wanted = options.pred_types is None or kind in options.pred_types
            if wanted and kind not in options.drop_pred_types:
                kept.append((start, end))
    return found


def _bounds(span: object, where: str) -> tuple[int, int]:
    if isinstance(span, dict):
        start, end = span.get("start"), span.get("end")
        if isinstance(start, int) and isinstance(end, int):
            return start, end
    raise RefusedError("ROW_MALFORMED", f"{where} has a span without whole start and end", field="spans")


@dataclass(slots=True)
class _Recall:
    """Counts of one type, tier, or of all."""

    n: int = 0
    covered: int = 0
    partial: int = 0
    long_numbers: int = 0
    long_numbers_covered: int = 0

    def value(self, *, with_partial: bool = True) -> dict[str, Any]:
        """Return it as the report shows it."""
        recall = self.covered / self.n if self.n else None
        value: dict[str, Any] = {"n": self.n, "covered": self.covered}
        if with_partial:
            value["partial"] = self.partial
        value |= {"recall": _rounded(recall), "leak_rate": _rounded(None if recall is None else 1 - recall)}
        if self.long_numbers:
            value["digits_n"] = self.long_numbers
            value["digits_recall"] = _rounded(self.long_numbers_covered / self.long_numbers)
        return value


@dataclass(slots=True)
class _Tally:
    """Everything counted over a set of rows."""

    options: ScoreOptions
    figures: Counter[str] = field(default_factory=Counter)
    types: dict[str, _Recall] = field(default_factory=dict)
    tiers: dict[str, _Recall] = field(default_factory=dict)
    misses: list[dict[str, Any]] = field(default_factory=list)
    over_masked: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: Mapping[str, Any], predicted: Sequence[tuple[int, int]] | None) -> None:
        """Count one row; `predicted` is None where no prediction names it."""
        text: str = row["text"]
        masked, outside_text = _masked(predicted or (), len(text))
        unexplained = bytearray(masked)
        has_gold = False
        for span in row["spans"]:
            if self._is_plain(span):
                continue
            start, end = _bounds(span, "a gold row")
            if not 0 <= start <= end <= len(text):
                raise RefusedError("ROW_MALFORMED", "a gold span lies outside its text", field="spans")
            unexplained[start:end] = bytes(end - start)
            has_gold |= self._span(
                row, span, [at for at in range(start, end) if not text[at].isspace()], masked
            )
        over = sum(unexplained)
        self.figures.update(
            rows=1,
            chars=len(text),
            bad=outside_text,
            missing=predicted is None,
            predicted=sum(masked),
            over=over,
            empty=not has_gold,
            empty_touched=not has_gold and over > 0,
        )
        if over and len(self.over_masked) < self.options.misses:
            shown = "".join(one if free else "\0" for one, free in zip(text, unexplained, strict=True))
            pieces = [piece for piece in shown.split("\0") if piece.strip()]
            self.over_masked.append({"id": row["id"], "over": pieces, "text": text[:_SHOWN_CHARS]})

    def _is_plain(self, span: Mapping[str, Any]) -> bool:
        only = self.options.gold_types
        return (only is not None and span["type"] not in only) or span.get("tier") in self.options.plain_tiers

    def _is_ignored(self, span: Mapping[str, Any], shown: str) -> bool:
        options = self.options
        if span.get("tier") in options.ignore_tiers or span["type"] in options.ignore_types:
            return True
        return options.skip_symbol_spans and not any(one.isalnum() for one in shown)

    def _span(
        self, row: Mapping[str, Any], span: Mapping[str, Any], solid: list[int], masked: bytearray
    ) -> bool:
        """Count one gold span; return whether it is one, and not ignored."""
        text: str = row["text"]
        hits = sum(masked[at] for at in solid)
        if self._is_ignored(span, "".join(text[at] for at in solid)):
            self.figures.update(ignored=1, ignored_touched=hits > 0)
            return False
        digits = [at for at in solid if text[at].isdigit()]
        is_long = len(digits) >= _LONG_NUMBER
        counted = [self.types.setdefault(span["type"], _Recall())]
        if tier := span.get("tier"):
            counted.append(self.tiers.setdefault(tier, _Recall()))
        for recall in counted:
            recall.n += 1
            recall.covered += hits == len(solid)
            recall.partial += 0 < hits < len(solid)
        counted[0].long_numbers += is_long
        counted[0].long_numbers_covered += is_long and all(masked[at] for at in digits)
        if hits < len(solid) and len(self.misses) < self.options.misses:
            missed = text[span["start"] : span["end"]]
            place = {"id": row["id"], "type": span["type"]}
            self.misses.append(place | {"span": missed, "text": text[:_SHOWN_CHARS]})
        return True

    def report(self) -> dict[str, Any]:
        """Return what was counted."""
        figures, of_types = self.figures, self.types.values()
        total = _Recall(
            *(sum(getattr(one, name) for one in of_types) for name in ("n", "covered", "partial"))
        )
        value: dict[str, Any] = {
            "rows": figures["rows"],
            "chars": figures["chars"],
            "all": total.value(),
            "types": {name: one.value() for name, one in _largest_first(self.types)},
            "over_mask": _share(figures["over"], figures["chars"], 5),
            "predicted_chars_outside_gold": _share(figures["over"], figures["predicted"], 4),
            "rows_without_gold": figures["empty"],
            "over_mask_rows": _share(figures["empty_touched"], figures["empty"], 5),
        }
        if self.tiers:
            value["tiers"] = {name: one.value(with_partial=False) for name, one in _largest_first(self.tiers)}
        if figures["ignored"]:
            value["ignored"] = {"n": figures["ignored"], "touched": figures["ignored_touched"]}
        if figures["missing"]:
            value["rows_without_prediction"] = figures["missing"]
        if figures["bad"]:
            value["bad_predicted_spans"] = figures["bad"]
        if self.options.misses:
            value |= {"misses": self.misses, "over_masked": self.over_masked}
        return value


def _largest_first(found: Mapping[str, _Recall]) -> list[tuple[str, _Recall]]:
    return sorted(found.items(), key=lambda one: -one[1].n)


def _masked(spans: Iterable[tuple[int, int]], length: int) -> tuple[bytearray, int]:
    """Which characters any span covers, and how many spans are empty or reach out of the text."""
    masked, bad = bytearray(length), 0
    for start, end in spans:
        first, behind = max(start, 0), min(end, length)
        bad += start >= end or (first, behind) != (start, end)
        if first < behind:
            masked[first:behind] = b"\1" * (behind - first)
    return masked, bad


def _share(part: int, whole: int, digits: int) -> float | None:
    return _rounded(part / whole, digits) if whole else None


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)


def gold_rows(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows that hold a text and spans.

    Args:
        rows: All rows of the gold file.

    Raises:
        RefusedError: `ROW_MALFORMED`, a row has no id, or two have the same.
    """
    kept = [row for row in rows if "text" in row and "spans" in row]
    ids = {row.get("id") for row in kept}
    if len(ids) != len(kept) or None in ids:
        raise RefusedError("ROW_MALFORMED", "each gold row needs an id that no other has", field="id")
    return kept


def score(
    gold: Iterable[Mapping[str, Any]], predictions: Predictions, options: ScoreOptions
) -> dict[str, Any]:
    """Return the report.

    Args:
        gold: `{id, text, spans: [{start, end, type, tier?}]}`.
        predictions: What was predicted.
        options: What counts.

    Raises:
        RefusedError: `ROW_MALFORMED`.
    """
    total = _Tally(options)
    groups: dict[str, _Tally] = {}
    seen = set()
    for row in gold:
        seen.add(row["id"])
        predicted = predictions.spans.get(row["id"])
        total.add(row, predicted)
        if options.group_by:
            name = str(row.get(options.group_by))
            groups.setdefault(name, _Tally(options)).add(row, predicted)
    report = total.report()
    if predictions.seconds:
        report["seconds"] = _rounded(predictions.seconds, 3)
        report["texts_per_s"] = _rounded(len(predictions.spans) / predictions.seconds, 1)
    if unknown := len(predictions.spans.keys() - seen):
        report["predictions_for_unknown_ids"] = unknown
    if groups:
        report["groups"] = {name: one.report() for name, one in groups.items()}
    return report
