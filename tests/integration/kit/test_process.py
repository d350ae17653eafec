from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit_support.authority import Authority
from kit_support.running import settings_of

PROGRAM = """
import functools, sys, time
from garim.kit.process import Process, refusals_end_the_process, settings_path
from garim.kit.settings import ServiceSettings, load_settings
from kit_support.echo import Echo

with refusals_end_the_process("garim-custody"):
    process = Process("custody", load_settings(settings_path(sys.argv), ServiceSettings))
    process.server([functools.partial(Echo.register, Echo())]).serve_until_signalled()
"""
TESTS = Path(__file__).parents[2]


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        cwd=TESTS,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, told = process.communicate(timeout=30)
    return process.returncode, told


def test_a_terminated_service_drains_and_ends_well(tmp_path: Path, authority: Authority) -> None:
    settings_of(tmp_path, authority, authority.service("custody"))
    process = started(str(tmp_path / "settings.toml"))
    assert process.stderr is not None
    line = json.loads(process.stderr.readline())
    assert line["event"] == "listening"
    with grpc.insecure_channel(f"127.0.0.1:{line['health_port']}") as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    process.send_signal(signal.SIGTERM)
    status, told = ended(process)
    assert status == 0
    assert [json.loads(text)["event"] for text in io.StringIO(told)] == ["draining", "stopped"]


def test_bad_settings_are_told_in_plain_lines_and_end_the_process(
    tmp_path: Path, authority: Authority
) -> None:
    settings_of(tmp_path, authority, authority.service("custody"))
    path = tmp_path / "settings.toml"
    path.write_text("lisen = 1\n" + path.read_text().replace("workers = 4", "workers = 'many'"))
    status, told = ended(started(str(path)))
    assert status == 2
    assert told.splitlines() == [
        f"garim-custody: SETTING_INVALID: {path}: the key workers: input should be a valid integer",
        f"garim-custody: SETTING_UNKNOWN: {path}: the key lisen is unknown; did you mean listen?",
    ]


def test_a_service_does_not_run_under_anothers_certificate(tmp_path: Path, authority: Authority) -> None:
    settings_of(tmp_path, authority, authority.service("audit"))
    status, told = ended(started(str(tmp_path / "settings.toml")))
    assert (status, told.split(": ")[1]) == (2, "CERTIFICATE_IDENTITY")


def test_a_key_that_others_can_read_ends_the_start(tmp_path: Path, authority: Authority) -> None:
    files = authority.service("custody")
    settings_of(tmp_path, authority, files)
    files.key.chmod(0o644)
    status, told = ended(started(str(tmp_path / "settings.toml")))
    assert (status, told.split(": ")[1]) == (2, "KEY_FILE_MODE")
    assert "chmod 600" in told


def test_a_missing_argument_is_told(tmp_path: Path) -> None:
    status, told = ended(started())
    assert (status, told.split(": ")[1]) == (2, "SETTINGS_ARGUMENT")
