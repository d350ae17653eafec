"""What the quick starts tell chat teams to run, runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from garim.testing.store import ServedStore

ROOT = Path(__file__).parents[3]
SDK, PROTOS = ROOT / "services" / "garim" / "sdk" / "README.md", ROOT / "protos" / "README.md"
ADDRESS = "127.0.0.1:7001"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedStore]:
    with ServedStore(tmp_path / "mesh", "demo.example") as started:
        tls = started.identity()
        for wanted, path in (("backend.pem", tls.certificate), ("backend.key", tls.key)):
            shutil.copy(path, tmp_path / wanted)
        shutil.copy(tls.trust, tmp_path / "mesh-ca.pem")
        (tmp_path / "protos").symlink_to(ROOT / "protos")
        (tmp_path / "stubs").mkdir()
        monkeypatch.chdir(tmp_path)
        yield started


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def run(command: str, **environment: str) -> str:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-euc", command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": tools, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_example_of_the_sdk_stores_and_saves(served: ServedStore) -> None:
    events = [
        SimpleNamespace(sent_at_ms=time.time_ns() // 1_000_000, sender="acct-2", text=f"쪽지 {number}")
        for number in range(3)
    ]
    saved: list[object] = []
    queue = SimpleNamespace(behind=lambda _saved: enumerate(events), save=saved.append)
    code = blocks(SDK, "python")[0].replace(ADDRESS, served.address)
    names = {"queue": queue, "saved": None}
    exec(compile(code, str(SDK), "exec"), names)  # noqa: S102 - the document's own code
    assert len(saved) == 3
    assert [one.text for one in served.store.messages("room-17")] == [one.text for one in events]


def test_the_example_for_tests_holds(served: ServedStore) -> None:
    exec(compile(blocks(SDK, "python")[1], str(SDK), "exec"), {})  # noqa: S102 - the document's own code


def test_stubs_and_a_call_from_the_descriptor_set_alone(served: ServedStore) -> None:
    stubs, call = blocks(PROTOS, "sh")
    run(stubs)
    check = "from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub as stub; print(stub)"
    assert "MessageStoreServiceStub" in run(f"{sys.executable} -c '{check}'", PYTHONPATH="stubs")
    assert '"digests"' in run(call.replace(ADDRESS, served.address))
    assert served.store.calls["PutRosters"] == 1
