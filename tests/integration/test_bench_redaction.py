"""The workers of `make bench-redaction`: ours runs, a peer that is broken is named."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench import redaction

SETS = {"two lines": ["전화 010-0000-1234", "그래"]}


def test_a_detector_that_cannot_start_is_named_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = tmp_path / "bin" / "python"
    silent.parent.mkdir()
    silent.write_text("#!/bin/sh\nexit 3\n")
    silent.chmod(0o755)
    monkeypatch.setattr(redaction, "FOLDER", tmp_path)
    with ExitStack() as ending:
        running, failed = redaction.started(["garim", "datafog"], ["한가람"], SETS, ending)
        assert list(running) == ["garim"]
        assert list(failed) == ["datafog"]
        spoken: list[Any] = list(redaction.rounds(running, SETS, 2, 0.0))
        assert [one[:2] for one in spoken] == [("two lines", "garim")] * 2
        assert running["garim"].spans(SETS["two lines"]) == [[[3, 16, "PHONE"]], []]
