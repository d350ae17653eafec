"""Between the lines that are scanned and the recipient: what only the finished package says is found, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from garim.dossier import rows
from garim.statements.refusal import Kind, RefusedError
from redaction_support.scope import DAON, HANEUL, HOUR, MARU, NOW, Scope, text

T = NOW - HOUR


def room() -> Scope:
    scope = Scope()
    epoch = scope.epoch()
    messages = [text(T, DAON, "안녕하세요 & <잘>"), text(T + 1, HANEUL, "네\n한하늘입니다")]
    scope.put(epoch, scope.room(epoch, "room-1", (DAON, HANEUL, MARU)), messages)
    return scope


def test_an_honest_package_passes(tmp_path: Path) -> None:
    made = room().made(tmp_path)
    assert "한하늘" not in "".join(made.texts())


@pytest.mark.parametrize("said", ["한하늘", "acct-00002", "010-0000-9999"])
def test_what_only_the_package_says_is_found_and_no_package_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    honest = rows._text

    def talkative(line: Any, book: Any) -> str:
        return honest(line, book) + (f'<i title="{said}"></i>' if "입니다" in line["text"] else "")

    monkeypatch.setattr(rows, "_text", talkative)
    with pytest.raises(RefusedError) as refused:
        room().made(tmp_path)
    assert (refused.value.reason, refused.value.kind) == ("LEAK_FOUND", Kind.DATA_LOSS)
    assert "transcript/C1-1.html, line " in refused.value.message
    assert said not in refused.value.message
    assert not list(tmp_path.iterdir())
