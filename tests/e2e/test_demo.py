"""The demo as a new user starts it: real processes, a short chat, figures in a file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.timeout(180)

CHAT = """단풍 모임 카카오톡 대화
저장한 날짜 : 2026년 3월 16일 오전 9:12


2026년 3월 13일 오전 6:48, 김온슬 : 다들 좋은 아침
2026년 3월 13일 오전 6:49, 이람찬 : 온슬이도 안녕! 내 번호 010-0000-1234로 바뀜
2026년 3월 13일 오전 6:49, 이람찬 : 물건은 사물함 17번
2026년 3월 13일 오전 6:50, 박나루 : 이람찬님 고마워요
2026년 3월 13일 오전 6:51, 박나루 : 람찬이 형 계좌는요?
2026년 3월 13일 오전 6:52, 박나루 : 김온슬 씨는 몰라도 돼요
2026년 3월 13일 오전 6:53, 김온슬 : 네? 뭐라고요?
2026년 3월 13일 오전 6:54, 박나루 : 아니에요
"""


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    chat = folder / "chat.txt"
    chat.write_text(CHAT, encoding="utf-8")
    command = [sys.executable, "-m", "garim.cli.demo", "--chat", str(chat), "--folder", str(folder / "demo")]
    return subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def services(folder: Path) -> list[psutil.Process]:
    """Return the processes that serve from a folder's settings."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(folder / "demo") in part and "settings" in part for part in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    demo = start(tmp_path)
    yield demo
    demo.kill()
    demo.communicate()


def await_services(folder: Path, count: int, seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while len(services(folder)) != count:
        assert time.monotonic() < until, f"{len(services(folder))} services run, not {count}"
        time.sleep(0.1)


def test_the_whole_chain_keeps_its_promises(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    told, complaints = running.communicate(timeout=150)
    assert running.returncode == 0, told + complaints
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    expected = {
        "messages": 8,
        "conversations": 1,
        "subjects": 1,
        "bystanders": 2,
        "leaks": 0,
        "identities_unmasked": 1,
        "verified": True,
    }
    assert {name: summary[name] for name in expected} == expected
    assert summary["log_size"] >= 10
    opened = Path(summary["opened"])
    assert Path(summary["package"]).is_file()
    assert Path(summary["transcript"]).is_file()
    everything = "".join(path.read_text() for path in opened.rglob("*") if path.suffix in {".html", ".jsonl"})
    for bystander in ("김온슬", "온슬", "이람찬", "람찬", "0000-1234"):
        assert bystander not in everything
    assert "박나루" in everything
    applied = Path(summary["applied"]).parent
    shown = "".join(path.read_text() for path in applied.glob("*.html"))
    assert ("이람찬" in shown) != ("김온슬" in shown), "exactly one of the two is opened"
    assert services(tmp_path) == []


def test_a_killed_demo_leaves_no_service_behind(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    await_services(tmp_path, 5)
    running.kill()
    await_services(tmp_path, 0)


def test_an_interrupted_demo_stops_its_mesh(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    await_services(tmp_path, 5)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    assert services(tmp_path) == []
    assert not (tmp_path / "demo" / "summary.json").exists()


def test_a_chat_of_no_known_format_ends_it_before_anything_starts(tmp_path: Path) -> None:
    demo = start(tmp_path, "--json", "--subject", "아무개")
    told, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert json.loads(told)["error"]["reasons"][0]["reason"] == "DEMO_SUBJECT"
    assert not (tmp_path / "demo").exists()
    assert os.listdir(tmp_path) == ["chat.txt"]  # noqa: PTH208 - names are enough
