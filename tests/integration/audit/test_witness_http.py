"""The log asks a witness over HTTP: bounded in time and bytes, without following anybody elsewhere."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.audit.settings import AuditSettings, WitnessSettings
from garim.audit.witnesses import MAX_ANSWER_BYTES, HttpPost, Witness
from garim.statements.refusal import RefusedError
from garim.testing.witness import FakeWitness
from garim.translog.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from garim.translog.keys import Signer
from garim.translog.note import parse_note

LOG = Signer.of_private_key("log.test/garim", Ed25519PrivateKey.generate())
NOTE = parse_note(sign_checkpoint(Checkpoint("log.test/garim", 1, bytes(32)), LOG))


@pytest.fixture
def fake() -> FakeWitness:
    return FakeWitness("witness.test/w", LOG.key)


@pytest.fixture
def url(fake: FakeWitness) -> Iterator[str]:
    with fake.served() as prefix:
        yield prefix


def asked(fake: FakeWitness, url: str, timeout_s: float = 5.0) -> bytes:
    witness = Witness(fake.signer.key, HttpPost(url, timeout_s, None))
    return witness.cosigned(NOTE, 1, lambda _old, _new: []).encode()


def test_a_cosignature_is_collected(fake: FakeWitness, url: str) -> None:
    note = asked(fake, url)
    assert verify_checkpoint(note, LOG.key, LOG.key.name, witnesses=[fake.signer.key]).size == 1


@pytest.mark.parametrize(
    "answer", [(302, b""), (500, b""), (404, b""), (200, b"x" * (MAX_ANSWER_BYTES + 1)), (409, b"many\n")]
)
def test_any_other_answer_is_silence(fake: FakeWitness, url: str, answer: tuple[int, bytes]) -> None:
    fake.answer = answer
    with pytest.raises(RefusedError, match="LOG_WITNESS_SILENT"):
        asked(fake, url)


def test_an_endless_answer_is_not_read(fake: FakeWitness, url: str) -> None:
    fake.answer = (200, b"x" * (2 * MAX_ANSWER_BYTES))
    with pytest.raises(http.client.HTTPException):
        HttpPost(url, 5, None)(b"old 0\n\n")


def test_a_witness_that_stalls_is_given_up(fake: FakeWitness, url: str) -> None:
    fake.stall.clear()
    with pytest.raises(RefusedError, match="LOG_WITNESS_SILENT"):
        asked(fake, url, 0.2)


def test_a_witness_that_is_not_there_is_silent(fake: FakeWitness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RefusedError, match="LOG_WITNESS_SILENT"):
        asked(fake, f"http://127.0.0.1:{port}")


def test_a_witness_that_answers_drop_by_drop_is_ended_from_outside() -> None:
    stop = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            try:
                while not stop.wait(0.05):
                    connection.sendall(b"H")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,))
        dripping.start()
        post = HttpPost(f"http://127.0.0.1:{server.getsockname()[1]}", 5, None)
        threading.Timer(0.3, post.abort).start()
        began = time.monotonic()
        with pytest.raises((OSError, http.client.HTTPException)):
            post(b"old 0\n\n")
        assert time.monotonic() - began < 3
        stop.set()
        dripping.join(5)


@pytest.mark.parametrize(
    "url",
    [
        "http://witness.example/",
        "ftp://127.0.0.1/",
        "https:///x",
        "https://witness.example/?a=b",
        "witness.example",
    ],
)
def test_a_witness_is_reached_by_https_or_on_this_machine(fake: FakeWitness, url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        WitnessSettings.model_validate({"key": fake.signer.key.vkey(), "url": url})


def test_only_a_key_for_cosignatures_is_a_witness_key() -> None:
    with pytest.raises(ValueError, match="key"):
        WitnessSettings.model_validate({"key": LOG.key.vkey(), "url": "https://witness.example"})


def test_settings_name_witnesses(fake: FakeWitness) -> None:
    named = {"key": fake.signer.key.vkey(), "url": "https://witness.example/garim"}
    log = AuditSettings.model_fields["log"].annotation
    assert log is not None
    read = log.model_validate({"origin": "log.test/garim", "key": "k.pem", "witnesses": [named]})
    assert [one.url for one in read.witnesses] == [named["url"]]
