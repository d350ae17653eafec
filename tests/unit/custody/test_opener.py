from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from custody_support.vault import MESH, CustodyOperator, Vault
from garim.custody import jobs
from garim.custody.kinds import EPOCH
from garim.custody.opener import OpenerProcess
from garim.kit.providers import KeyHandle, KeyProvider
from garim.kit.providers.file import FileKeyProvider
from garim.sealing import hpke
from garim.statements.refusal import RefusedError
from garim.testing.pki import DocumentPki


@pytest.fixture
def provider(tmp_path: Path) -> KeyProvider:
    return FileKeyProvider(tmp_path / "keys", MESH)


@pytest.fixture
def opener(tmp_path: Path, provider: KeyProvider) -> Iterator[OpenerProcess]:
    made = OpenerProcess(tmp_path / "keys", None, MESH)
    yield made
    made.close()


def make_epoch(opener: OpenerProcess, provider: KeyProvider) -> tuple[str, jobs.EpochMade]:
    epoch_id = secrets.token_hex(16)
    provider.create_object(EPOCH, epoch_id)
    answer = opener.run(jobs.MakeEpoch(mesh=MESH, id=epoch_id).encode())
    return epoch_id, jobs.EpochMade.model_validate_json(answer)


def test_a_child_does_the_job_and_its_answer_is_ciphertext(
    opener: OpenerProcess, provider: KeyProvider
) -> None:
    epoch_id, made = make_epoch(opener, provider)
    with provider.unwrap(KeyHandle(EPOCH, epoch_id), made.private, b"private") as private:
        assert hpke.public_key(private) == made.public


def test_a_refusal_comes_back_as_it_was(opener: OpenerProcess, provider: KeyProvider) -> None:
    with pytest.raises(RefusedError, match="KEY_OBJECT_MISSING"):
        opener.run(jobs.MakeEpoch(mesh=MESH, id="00" * 16).encode())
    assert make_epoch(opener, provider)


def test_a_child_that_breaks_is_a_refusal_that_says_nothing(opener: OpenerProcess) -> None:
    with pytest.raises(RefusedError, match="OPENER_FAILED"):
        opener.run(b"no job")


def test_a_zygote_that_was_killed_is_started_again(opener: OpenerProcess, provider: KeyProvider) -> None:
    killed = opener._process
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=10)
    with pytest.raises(RefusedError, match="OPENER_FAILED"):
        opener.check()
    assert make_epoch(opener, provider)
    opener.check()


def test_a_wrong_passphrase_keeps_it_from_starting(tmp_path: Path, provider: KeyProvider) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("TEST passphrase")
    passphrase.chmod(0o600)
    with pytest.raises(RefusedError, match="OPENER_FAILED"):
        OpenerProcess(tmp_path / "keys", passphrase, MESH)


def test_an_empty_passphrase_keeps_it_from_starting(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("\n")
    passphrase.chmod(0o600)
    with pytest.raises(RefusedError, match="OPENER_FAILED"):
        OpenerProcess(tmp_path / "fresh", passphrase, MESH)
    assert "KEY_PASSPHRASE_EMPTY" in capfd.readouterr().err


def test_the_opener_loads_neither_grpc_nor_a_database() -> None:
    program = (
        "import sys, garim.custody.opener;"
        "sys.exit(bool({name.partition('.')[0] for name in sys.modules} & {'grpc', 'sqlalchemy'}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def children_of(pid: int) -> list[int]:
    return [one.pid for one in psutil.Process(pid).children() if one.status() != psutil.STATUS_ZOMBIE]


def test_each_child_ends_with_its_job(opener: OpenerProcess, provider: KeyProvider) -> None:
    for _ in range(5):
        make_epoch(opener, provider)
    deadline = time.monotonic() + 5
    while children_of(opener._process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children_of(opener._process.pid) == []


def test_keys_are_released_through_the_process(
    tmp_path: Path, pki: DocumentPki, provider: KeyProvider, opener: OpenerProcess
) -> None:
    vault = Vault(tmp_path, CustodyOperator(pki), provider, opener)
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    keys = vault.release(vault.create(vault.request()), made)
    assert len(keys) == 2
    assert vault.opener.jobs == []
    vault.close()
