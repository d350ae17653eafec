"""`garim bench`: how figures are made and shown, what is loaded; nothing is measured here."""

from __future__ import annotations

import io
from itertools import repeat
from pathlib import Path

import pytest
from rich.console import Console

from garim.cli.bench import commands
from garim.cli.bench.figures import compared, figures_json, figures_table, reported
from garim.cli.bench.load import BATCH, SUBJECT, make_load
from garim.cli.bench.postgres import Databases
from garim.cli.bench.texts import texts
from garim.statements.refusal import RefusedError
from messages_support.fake_store import messages_of

NOW_MS = 1_790_000_000_000


def test_the_ratio_is_the_median_of_the_runs_ratios() -> None:
    figure = compared("x", "rows/s", [10.0, 30.0, 20.0], "peer", [10.0, 10.0, 40.0], target=1.0)
    assert (figure.value, figure.peer_value, figure.ratio, figure.runs) == (20.0, 10.0, 1.0, 3)
    assert figure.met


@pytest.mark.parametrize(("value", "at_most", "met"), [(2.0, False, True), (2.0, True, False)])
def test_a_target_bounds_from_its_side(value: float, at_most: bool, met: bool) -> None:
    assert reported("x", "bytes", [value], target=1.5, at_most=at_most).met is met


def test_the_table_shows_a_miss_and_every_condition_once() -> None:
    figures = [
        compared("slow", "rows/s", [1.0], "peer", [2.0], target=1.0, conditions="under load"),
        reported("size", "bytes", [3.0], conditions="under load"),
    ]
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(figures_table(figures))
    shown = console.export_text()
    assert "✗" in shown
    assert shown.count("under load") == 1


def test_json_names_the_machine_and_whether_targets_were_met() -> None:
    value = figures_json([reported("size", "bytes", [3.0], target=2.0, at_most=True)], (0.0, 0.0, 0.0))
    assert value["cores"]
    assert value["figures"][0]["met"] is False


def test_batches_and_plaintext_rows_hold_the_same_messages() -> None:
    load = make_load(2_500, 7, 3, repeat("안녕"), NOW_MS)
    requests, rows = load.requests(), load.rows()
    assert [sum(len(messages_of(one)) for one in request.conversations) for request in requests] == [
        BATCH,
        BATCH,
        500,
    ]
    assert len({request.batch_id for request in requests}) == len(requests)
    for request, own in zip(requests, rows, strict=True):
        sent = {
            (part.conversation_id, one.sender, one.sent_at_ms, one.kind, one.text)
            for part in request.conversations
            for one in messages_of(part)
        }
        assert sent == set(own)
    assert all(roster.members[0].account == SUBJECT for roster in load.rosters)
    assert load.period == (NOW_MS - 62_500, NOW_MS - 60_000)


def test_texts_come_from_lines_and_objects_over_and_over(tmp_path: Path) -> None:
    lines, objects = tmp_path / "a.txt", tmp_path / "b.jsonl"
    lines.write_text("하나\n\n둘\n", encoding="utf-8")
    objects.write_text('{"text": "셋"}\n', encoding="utf-8")
    source = texts([lines, objects])
    assert [next(source) for _ in range(4)] == ["하나", "둘", "셋", "하나"]
    assert next(texts([]))


def test_a_file_without_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"body": "x"}\n', encoding="utf-8")
    with pytest.raises(RefusedError, match="BENCH_TEXT"):
        next(texts([path]))


@pytest.mark.parametrize("wanted", ["mysql://x", "sqlite:///somewhere.db", ""])
def test_an_unknown_database_is_refused(wanted: str) -> None:
    with pytest.raises(RefusedError, match="BENCH_DATABASE"):
        Databases(wanted)


def test_every_bench_has_a_command_and_all_holds_them() -> None:
    names = {command.name for command in commands.app.registered_commands}
    assert names == {*commands.BENCHES, "all"}
