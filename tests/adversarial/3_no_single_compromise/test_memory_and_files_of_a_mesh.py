"""A service taken over now, with its memory and files, holds no key of what was stored or closed before."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass

import pytest

from garim.kit.clock import SystemClock
from mesh_support.live import WRITE_SECRET_S, LiveMesh, until
from mesh_support.memory import (
    Needles,
    children,
    dossier_secrets,
    found_in_files,
    found_in_process,
    index_keys,
    storage_secrets,
)
from mesh_support.played import Played, store_others

BUILDS = 2
WRITE_SECRETS = 6


@dataclass(frozen=True, slots=True)
class Worked:
    """A mesh that has stored and built under load, and what must be gone.

    Attributes:
        mesh: The mesh.
        storage: Ended write secrets, what they derive, epochs' private keys.
        dossiers: Q, private keys, sealing secrets, shares of closed dossiers.
    """

    mesh: LiveMesh
    storage: Needles
    dossiers: Needles


@pytest.fixture(scope="module")
def worked(played: Played) -> Worked:
    mesh = played.mesh
    stop = threading.Event()

    def load() -> None:
        number = 0
        while not stop.wait(0.05):
            number += 1
            store_others(mesh, SystemClock().now_ms() - 1_000, [f"TEST 말 {number}"])

    loading = threading.Thread(target=load)
    loading.start()
    try:
        for _ in range(BUILDS):
            mesh.build(mesh.granted(played.another()))
        until(lambda: mesh.query("messages", "SELECT count(*) FROM write_secrets")[0][0] >= WRITE_SECRETS)
    finally:
        stop.set()
        loading.join()
    time.sleep(WRITE_SECRET_S + 1.5)
    return Worked(mesh, storage_secrets(mesh, SystemClock().now_ms() - 1_000), dossier_secrets(mesh))


def test_there_is_enough_to_look_for(worked: Worked) -> None:
    for kind, least in (("W ", 4), ("K_seg ", 4), ("segment ", 20), ("roster ", 4), ("epoch ", 2)):
        assert sum(name.startswith(kind) for name in worked.storage) >= least, kind
    for kind, least in (("Q ", BUILDS), ("S ", BUILDS), ("private ", BUILDS), ("share ", 3 * BUILDS)):
        assert sum(name.startswith(kind) for name in worked.dossiers) >= least, kind


@pytest.mark.parametrize("service", ["custody", "redaction", "messages", "warrants", "audit"])
def test_no_services_main_process_holds_a_key_whose_time_is_over(worked: Worked, service: str) -> None:
    pid = worked.mesh.pid(service)
    known = {"the mesh's name": worked.mesh.file.mesh.encode()}
    assert found_in_process(pid, known), "the search finds nothing at all"
    assert found_in_process(pid, worked.storage | worked.dossiers) == set()


def test_the_process_that_opens_keys_for_custody_holds_none_between_two_jobs(worked: Worked) -> None:
    (opener,) = children(worked.mesh.pid("custody"), "garim.custody.opener")
    assert found_in_process(opener, {"the mesh's name": worked.mesh.file.mesh.encode()})
    assert found_in_process(opener, worked.storage | worked.dossiers) == set()


def test_custodys_main_process_knows_wrapped_keys_alone(worked: Worked) -> None:
    """What it holds of an epoch's private key is what the provider made of it."""
    held = {
        f"wrapped {epoch}": wrapped[:64]
        for epoch, wrapped in worked.mesh.query("custody", "SELECT epoch_id, wrapped_private FROM epochs")
    }
    opened = {name: one for name, one in worked.storage.items() if name.startswith("epoch ")}
    assert found_in_process(worked.mesh.pid("custody"), held) != set()
    assert found_in_process(worked.mesh.pid("custody"), opened) == set()


def test_attempts_are_gone_with_all_that_they_knew(worked: Worked) -> None:
    assert children(worked.mesh.pid("redaction"), "garim.redaction.attempt") == []


def test_no_file_of_the_mesh_holds_an_open_key(worked: Worked) -> None:
    assert found_in_files(worked.mesh.root, worked.storage | worked.dossiers) == {}


def test_no_main_process_but_the_stores_has_seen_a_message(played: Played, worked: Worked) -> None:
    texts = sorted((one.text for one in played.chosen.originals), key=len)[-40:]
    needles: Needles = {}
    for text in texts:
        name = hashlib.sha256(text.encode()).hexdigest()[:8]
        needles[f"{name} utf-8"] = text.encode()[:60]
        needles[f"{name} utf-16"] = text.encode("utf-16-le")[:60]
    for service in ("custody", "redaction", "warrants", "audit"):
        assert found_in_process(worked.mesh.pid(service), needles) == set(), service


def test_index_keys_are_in_the_stores_memory_and_in_no_file(worked: Worked) -> None:
    keys = index_keys(worked.mesh)
    assert found_in_process(worked.mesh.pid("messages"), keys) == set(keys)
    for service in ("redaction", "warrants", "audit"):
        assert found_in_process(worked.mesh.pid(service), keys) == set(), service
    assert found_in_files(worked.mesh.root, keys) == {}
