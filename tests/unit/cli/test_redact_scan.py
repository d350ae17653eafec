from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from garim.cli.main import app


def scan(tmp_path: Path, *rows: Any, raw: bytes | None = None) -> tuple[int, Path, str]:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    source.write_bytes(raw if raw is not None else text.encode())
    result = CliRunner().invoke(app, ["redact", "scan", str(source), str(target), "--json"])
    return result.exit_code, target, result.stdout


def test_rows_become_spans_and_the_last_line_says_how_long_it_took(tmp_path: Path) -> None:
    text = "수아한테 010-0000-4416 물어봐"
    status, target, _ = scan(tmp_path, {"id": 1, "text": text, "participants": ["이수아", "수아"]})
    assert status == 0
    row, last = [json.loads(line) for line in target.read_text().splitlines()]
    assert row["id"] == 1
    found = {(text[one["start"] : one["end"]], one["type"]) for one in row["spans"]}
    assert found == {("수아", "PERSON"), ("010-0000-4416", "PHONE")}
    assert list(last) == ["seconds"]
    assert last["seconds"] >= 0


def test_the_output_holds_no_text(tmp_path: Path) -> None:
    status, target, said = scan(tmp_path, {"id": "a", "text": "정훈님 계세요", "participants": ["정훈"]})
    assert status == 0
    assert "정훈" not in target.read_text()
    assert "정훈" not in said


@pytest.mark.parametrize(
    "raw", [b"{", b"[1]\n", b'{"id": 1}\n', b'{"id": 1, "text": "a", "participants": [1]}\n', b"\xff\n"]
)
def test_a_malformed_row_is_refused_and_leaves_no_output(tmp_path: Path, raw: bytes) -> None:
    status, target, said = scan(tmp_path, raw=b'{"id": 0, "text": "ok"}\n' + raw)
    assert status == 1
    assert json.loads(said)["error"]["reasons"][0]["reason"] == "ROW_MALFORMED"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]
    assert not target.exists()
