"""The parts of `make bench-redaction` that need no peer."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from bench import redaction, redaction_worker


def test_ours_is_set_against_each_detector_on_the_same_lines() -> None:
    measured = {
        ("chat", "garim"): [90.0, 100.0, 400.0],
        ("chat", "garim+open"): [40.0],
        ("chat", "peer"): [20.0, 30.0],
        ("irc", "peer"): [10.0],
    }
    ours, _, peer, alone = redaction.speeds(measured)
    assert (ours.median, ours.slowest, ours.fastest, ours.ratios["garim"]) == (100, 90, 400, 1)
    assert (peer.median, peer.ratios) == (25, {"garim": 4.0, "garim+open": 1.6})
    assert alone.ratios == {}


def test_the_roster_has_a_thousand_different_names() -> None:
    names = redaction.roster()
    assert len(names) == len(set(names)) == 1_000
    assert {len(name) for name in names} == {3}


def test_lines_come_from_all_over_the_file() -> None:
    assert redaction.spread(["a", "b", "c", "d", "e", "f"], 3) == ["a", "c", "e"]
    assert redaction.spread(["a"], 3) == ["a"]


def test_without_outside_data_the_sample_room_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(redaction, "GOLD", tmp_path / "absent")
    (lines,) = redaction.sets_of_lines(50).values()
    assert len(lines) == 50


def test_a_second_is_counted_over_whole_passes() -> None:
    passes = []
    speed = redaction_worker.texts_a_second(lambda texts: passes.append(len(texts)) or [], ["a", "b"], 0.0)
    assert passes == [2]
    assert speed > 0


def test_ours_finds_with_and_without_its_roster() -> None:
    detect = redaction_worker.DETECTORS["garim"](["한가람"])
    assert detect(["한가람이 010-0000-1234", "그래"]) == [[(0, 3, "PERSON"), (5, 18, "PHONE")], []]
    assert redaction_worker.DETECTORS["garim"]([])(["한가람이"]) == [[]]


def test_a_peer_that_cannot_be_installed_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("")
    monkeypatch.setattr(redaction, "FOLDER", tmp_path)
    asked = []

    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no such version\n\n")

    monkeypatch.setattr(subprocess, "run", refuse)
    assert redaction.install("ko-pii") == "ERROR: no such version"
    assert asked[0][0] == os.fspath(python)
    assert "--require-hashes" in asked[0]


def test_every_peer_is_pinned_with_hashes() -> None:
    for peer in redaction.PEERS:
        locked = (redaction.HERE / "peers" / f"{peer}.txt").read_text(encoding="utf-8")
        packages = re.split(r"\n(?=\S)", locked.strip())
        assert packages
        assert all("==" in package and "--hash=sha256:" in package for package in packages)


def test_every_detector_that_is_asked_for_exists() -> None:
    asked = {*redaction.OURS, *(one for those in redaction.PEERS.values() for one in those)}
    assert asked == set(redaction_worker.DETECTORS)
