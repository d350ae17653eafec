"""Documents are opened where there is nothing to steal; whatever else a child does is a refusal."""

from __future__ import annotations

import base64
import concurrent.futures
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from garim.documents import formats
from garim.documents.media_types import ETSI_MEDIA_TYPE, JWS_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.kit import document_child, seccomp
from garim.kit.document_opener import DocumentOpener
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError
from garim.testing import documents
from garim.testing.pki import make_pki
from kit_support import attacker

ATTACK = "application/x-attack"
KILLED = (
    "socket",
    "unix-socket",
    "socketpair",
    "write-file",
    "execute",
    "run",
    "fork",
    "thread",
    "signal",
    "trace",
    "read-memory",
    "map-code",
    "unlimit",
    "no-alarm",
    "outlive",
    "signal-owner",
    "chdir",
    "sleep",
    "prctl",
)
BROKEN = ("segfault", "abort", "broken-answer", "exit")


@pytest.fixture(scope="module", autouse=True)
def children_find_tests() -> Iterator[None]:
    """Let child processes import the attackers, which stand beside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        yield


@pytest.fixture(scope="module")
def document() -> bytes:
    pki = make_pki(dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC))
    return documents.signed(pki, documents.disclosure(pki))


@pytest.fixture(scope="module")
def hostile() -> Iterator[DocumentOpener]:
    opener = DocumentOpener("kit_support.attacker", attacker.LIMITS)
    yield opener
    opener.close()


@pytest.fixture(scope="module")
def opener() -> Iterator[DocumentOpener]:
    opener = DocumentOpener()
    yield opener
    opener.close()


def reason(opener: DocumentOpener, media_type: str, data: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        opener.open(media_type, data)
    return refused.value.reason


def test_a_child_opens_what_this_process_would_open(opener: DocumentOpener, document: bytes) -> None:
    assert opener.open(JWS_MEDIA_TYPE, document) == formats.open_document(JWS_MEDIA_TYPE, document)


def test_all_reasons_come_back_as_they_were(opener: DocumentOpener, document: bytes) -> None:
    broken = document.replace(b'"protected": "', b'"protected": "e30').replace(
        b'"protected":"', b'"protected":"e30'
    )
    with pytest.raises(RefusedWithReasonsError) as here:
        formats.open_document(JWS_MEDIA_TYPE, broken)
    with pytest.raises(RefusedWithReasonsError) as there:
        opener.open(JWS_MEDIA_TYPE, broken)
    assert [str(one) for one in there.value.reasons] == [str(one) for one in here.value.reasons]
    assert len(there.value.reasons) == 2


def test_an_unknown_format_is_refused_by_name(opener: DocumentOpener, document: bytes) -> None:
    assert reason(opener, "application/x-test", document) == "FORMAT_UNKNOWN"
    assert reason(opener, "x" * 300, document) == "FORMAT_UNKNOWN"


@pytest.mark.parametrize("attack", KILLED)
def test_the_kernel_kills_whoever_tries_more_than_to_compute(
    hostile: DocumentOpener, attack: str, document: bytes
) -> None:
    assert reason(hostile, ATTACK, attack.encode()) == "DOCUMENT_OPENER_DIED"
    assert hostile.open(JWS_MEDIA_TYPE, document)


@pytest.mark.parametrize("attack", BROKEN)
def test_a_child_that_breaks_is_a_refusal_and_the_next_document_is_opened(
    hostile: DocumentOpener, attack: str, document: bytes
) -> None:
    assert reason(hostile, ATTACK, attack.encode()) == "DOCUMENT_OPENER_DIED"
    assert hostile.open(JWS_MEDIA_TYPE, document)


@pytest.mark.parametrize("attack", ["spin", "hang"])
def test_time_is_limited(hostile: DocumentOpener, attack: str) -> None:
    begun = time.monotonic()
    assert reason(hostile, ATTACK, attack.encode()) == "DOCUMENT_TOO_COSTLY"
    most = {"spin": attacker.LIMITS.wall_s, "hang": attacker.LIMITS.wall_s + 1}[attack]
    assert time.monotonic() - begun < most


def test_memory_is_limited(hostile: DocumentOpener) -> None:
    assert reason(hostile, ATTACK, b"eat-memory") == "ATTACK_FAILED"
    assert reason(hostile, ATTACK, b"eat-memory-in-c") == "DOCUMENT_OPENER_DIED"


def test_no_file_can_be_read(hostile: DocumentOpener, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"TEST key")
    tmp_path.chmod(0o755)
    key.chmod(0o644)
    for path in (key, Path(f"/proc/{os.getpid()}/mem"), Path("/proc/self/maps"), Path("/etc/hostname")):
        assert reason(hostile, "application/x-read", str(path).encode()) == "DOCUMENT_OPENER_DIED"
    assert reason(hostile, "application/x-list", b"/") == "DOCUMENT_OPENER_DIED"


def test_the_environment_and_open_files_of_the_service_stay_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GARIM_TEST_SECRET", "TEST secret")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - positional only
        hostile = DocumentOpener("kit_support.attacker", attacker.LIMITS)
        environment = hostile.read_message(b"application/x-environment").payload.decode()
        descriptors = hostile.read_message(b"application/x-descriptors").payload
        hostile.close()
    assert set(environment.splitlines()) <= {"PYTHONPATH", "LC_CTYPE"}
    assert len(descriptors) == len(("stdin", "stdout", "stderr", "its end of the pair"))


@pytest.mark.parametrize(
    "answer", [b"", b"{}", b'{"payload": 7, "chains": []}', b'{"payload": "eA=="}', b"\xff"]
)
def test_an_answer_that_cannot_be_read_is_a_refusal(hostile: DocumentOpener, answer: bytes) -> None:
    assert reason(hostile, "application/x-answer", base64.b64encode(answer)) == "DOCUMENT_OPENER_DIED"


def test_documents_are_opened_in_parallel_and_none_waits_for_a_hostile_one(
    hostile: DocumentOpener, document: bytes
) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        stuck = [pool.submit(reason, hostile, ATTACK, b"hang") for _ in range(2)]
        begun = time.monotonic()
        opened = [pool.submit(hostile.open, JWS_MEDIA_TYPE, document) for _ in range(16)]
        assert len({one.result().payload for one in opened}) == 1
        assert time.monotonic() - begun < attacker.LIMITS.wall_s
        assert [one.result() for one in stuck] == ["DOCUMENT_TOO_COSTLY"] * 2


def test_a_zygote_that_was_killed_is_started_again(document: bytes) -> None:
    opener = DocumentOpener()
    killed = opener._zygote._process
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=10)
    with pytest.raises(RefusedError) as refused:
        opener.check()
    assert (refused.value.reason, refused.value.kind) == ("DOCUMENT_OPENER_UNAVAILABLE", Kind.UNAVAILABLE)
    assert opener.open(JWS_MEDIA_TYPE, document)
    opener.check()
    opener.close()


def test_no_child_outlives_its_document(hostile: DocumentOpener) -> None:
    for attack in ("exit", "segfault", "spin"):
        reason(hostile, ATTACK, attack.encode())
    deadline = time.monotonic() + 5
    zygote = psutil.Process(hostile._zygote._process.pid)
    while zygote.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert zygote.children() == []


def test_without_a_filter_of_system_calls_only_json_is_read(document: bytes) -> None:
    def job(media_type: str) -> bytes:
        return len(media_type).to_bytes(1, "big") + media_type.encode() + document

    assert document_child.perform(job(JWS_MEDIA_TYPE), confined=False)
    for media_type in (PDF_MEDIA_TYPE, ETSI_MEDIA_TYPE):
        with pytest.raises(RefusedError, match="FORMAT_NOT_CONFINED"):
            document_child.perform(job(media_type), confined=False)


def test_where_the_filter_holds_a_zygote_starts(opener: DocumentOpener) -> None:
    opener.check()


def test_where_the_filter_does_not_hold_nothing_starts() -> None:
    program = (
        "import socket, garim.kit.seccomp as s; s.install = lambda: None\n"
        "from garim.kit import confinement\n"
        "from garim.kit.document_opener import LIMITS\n"
        "ours, theirs = socket.socketpair()\n"
        "ours.close()\n"
        "confinement.serve(theirs.detach(), lambda job: job, LIMITS)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "CONFINEMENT_MISSING" in done.stderr


def test_a_machine_without_a_filter_of_its_own_is_refused() -> None:
    with pytest.raises(seccomp.NotConfinedError):
        seccomp.program("riscv64")


def test_the_same_calls_are_left_on_each_machine() -> None:
    (_, one), (_, other) = seccomp.MACHINES.values()
    older = {"access", "lstat", "open", "poll", "readlink", "stat"}
    assert one.keys() - other.keys() == older
    assert other.keys() <= one.keys()
    assert len(set(other.values())) == len(other)


def test_the_filter_alone_opens_no_file(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from garim.kit import seccomp\n"
        "seccomp.install()\n"
        "try:\n    os.open('/etc/hostname', os.O_RDONLY)\n    os._exit(3)\n"
        "except PermissionError:\n    os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n    os._exit(4)\n"
    )
    made = tmp_path / "made"
    assert subprocess.run([sys.executable, "-c", program, made], check=False).returncode == -signal.SIGSYS
    assert not made.exists()


def test_landlock_alone_opens_no_file() -> None:
    program = (
        "from garim.kit import landlock\n"
        "held = landlock.close_everything()\n"
        "try:\n    open('/etc/hostname').read()\n"
        "except PermissionError:\n    raise SystemExit(0 if held else 3)\n"
        "raise SystemExit(1 if held else 77)\n"
    )
    code = subprocess.run([sys.executable, "-c", program], check=False).returncode
    if code == 77:
        pytest.skip("this kernel has no Landlock")
    assert code == 0


def test_services_load_no_parser_of_documents_beside_their_keys() -> None:
    for module in ("garim.custody.__main__", "garim.warrants.__main__"):
        program = (
            f"import sys, {module};"
            "loaded = {one.partition('.')[0] for one in sys.modules};"
            "print(loaded & {'lxml', 'signxml', 'pyhanko', 'joserfc'})"
        )
        said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        assert said.stdout.strip() == "set()"
