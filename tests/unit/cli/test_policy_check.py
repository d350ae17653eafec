"""`garim policy check` and `garim policy schema`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from garim.cli.main import app
from garim.documents import policy as policies

KR = Path(policies.__file__).with_name("kr.yaml")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["policy", *arguments])
    return result.exit_code, result.stdout


def test_a_policy_is_explained_in_both_languages_with_its_legal_bases() -> None:
    code, text = run("check", str(KR), "--at", "2026-11-02")
    assert code == 0
    for part in (
        "마약류 / Narcotics",
        "대법원 2016도8137",
        "36시간 hours",
        "제9조의3",
        "all-persons: 모든 사람",
        "exact: 그대로",
        "제13조 제8항",
        "No gaps",
    ):
        assert part in text


def test_the_explanation_is_of_its_time() -> None:
    text = run("check", str(KR), "--at", "2026-10-01")[1]
    assert "제13조 제7항" in text
    assert "제13조 제8항" not in text
    assert "No policy is in force" in run("check", str(KR), "--at", "2019-01-01")[1]


def test_gaps_are_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    changed = KR.read_text(encoding="utf-8").replace(
        "articles: 제58조 내지 제62조}", "articles: 제58조 내지 제62조, valid_to: 2026-01-01}"
    )
    file.write_text(changed, encoding="utf-8")
    assert "GAP offences.drugs" in run("check", str(file))[1]
    value = json.loads(run("check", str(file), "--json")[1])
    assert [(one["code"], one["where"], one["to"]) for one in value["warnings"]] == [
        ("GAP", "offences.drugs", None)
    ]
    assert "drugs" not in {one["id"] for one in value["offences"]}


def test_a_broken_policy_or_time_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"a: [")
    assert run("check", str(file), "--json")[0] == 1
    assert "TIME_INVALID" in run("check", str(KR), "--at", "soon", "--json")[1]


def test_the_schema_is_printed() -> None:
    code, text = run("schema")
    assert code == 0
    assert text == KR.with_name("policy.schema.json").read_text(encoding="utf-8")
