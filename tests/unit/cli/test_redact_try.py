"""`garim redact try` shows lines as they would leave, and nothing of what stood there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from garim.cli.main import app
from garim.cli.redact_try import Trial, coloured
from garim.masking.infotype import InfoType

LINES = "지민아 010-0000-4416으로 전화해\n[bold]수아[/bold]가 왔어, 지민이한테 01000004416 알려 줘\n"


def tried(*options: str, lines: str = LINES) -> str:
    result = CliRunner().invoke(app, ["redact", "try", *options], input=lines)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_lines_are_shown_masked_with_one_pseudonym_a_value() -> None:
    shown = tried("--participants", "지민,수아")
    assert "지민" not in shown
    assert "수아" not in shown
    assert "4416" not in shown
    first, second = shown.splitlines()[:2]
    assert "[bold]P-" in second, "what is pasted is text and no markup"
    phone = first.split("PHONE-")[1][:11]
    assert shown.count(phone) == 2
    assert "PERSON" in shown


def test_programs_get_spans_that_point_at_the_pseudonyms() -> None:
    first, second = map(
        json.loads, tried("--json", "--participants", "지민", "--sender", "수아").splitlines()
    )
    for row in (first, second):
        assert all(row["text"][one["start"] : one["end"]] == one["pseudonym"] for one in row["spans"])
    assert [one["type"] for one in second["spans"]] == ["PERSON", "PERSON", "PHONE"]


def test_a_subjects_own_name_stays_readable() -> None:
    assert "지민아" in tried("--participants", "수아", "--subject", "지민")


@pytest.mark.parametrize("content", ["지민\n수아\n", '["지민", "수아"]', '{"a": ["지민"], "b": ["수아"]}'])
def test_participants_come_from_a_file_too(tmp_path: Path, content: str) -> None:
    names = tmp_path / "names"
    names.write_text(content)
    assert "수아" not in tried("--participants", str(names))


@pytest.mark.parametrize("content", [b"[1]", b"{", b'{"room": "x"}', b"\xff"])
def test_a_participants_file_in_no_known_form_is_refused(tmp_path: Path, content: bytes) -> None:
    names = tmp_path / "names"
    names.write_bytes(content)
    result = CliRunner().invoke(app, ["redact", "try", "--json", "--participants", str(names)], input="")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["reasons"][0]["reason"] == "PARTICIPANTS_FILE"


def test_each_type_that_is_found_has_a_colour() -> None:
    masked = Trial(["지민"]).masked("지민 a@example.com")
    styles = [str(span.style) for span in coloured(masked).spans]
    assert [one.type for one in masked.spans] == [InfoType.PERSON, InfoType.EMAIL]
    assert len(set(styles)) == 2
