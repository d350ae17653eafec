from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import grpc
import pytest
from grpc_status import rpc_status

import garim
from garim.kit.errors import status_of
from garim.sdk import GarimError, GarimStore, StoreRefusedError, StoreUnavailableError, TlsPaths
from garim.sdk.errors import error_of
from garim.statements.refusal import Kind, RefusedError

SOURCES = Path(garim.__file__).parents[1]
# typing_extensions is grpcio's own.
ALLOWED = {"cryptography", "grpc", "google", "garim", "_cffi_backend", "typing_extensions"}


def test_a_back_end_gets_grpc_protobuf_and_cryptography_and_nothing_else() -> None:
    script = f"""
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {ALLOWED!r} and top not in sys.stdlib_module_names:
            raise ImportError(f"{{top}} is not installed with the sdk")
sys.meta_path.insert(0, Wall())
import garim.sdk
print(*(name for name in sys.modules if name.startswith("garim.") and name.count(".") == 1))
"""
    printed = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SOURCES)},
    ).stdout.split()
    assert set(printed) == {"garim.api", "garim.sdk", "garim.statements"}


class _Failure(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode, metadata: tuple[tuple[str, str | bytes], ...] = ()) -> None:
        self._code = code
        self._metadata = metadata

    def code(self) -> grpc.StatusCode:
        return self._code

    def trailing_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata


def _refused(refusal: RefusedError) -> GarimError:
    status = rpc_status.to_status(status_of(refusal))
    metadata = cast("tuple[tuple[str, str | bytes], ...]", tuple(status.trailing_metadata))
    return error_of(_Failure(status.code, metadata))


def test_a_refusals_reason_and_field_arrive() -> None:
    error = _refused(RefusedError("MESSAGE_TIME", "in the future", field="conversations[0]"))
    assert isinstance(error, StoreRefusedError)
    assert (error.reason, error.field, error.retry_after_s) == ("MESSAGE_TIME", "conversations[0]", None)


def test_the_stores_delay_arrives() -> None:
    error = _refused(RefusedError("STORE_EPOCH", "away", kind=Kind.UNAVAILABLE))
    assert isinstance(error, StoreUnavailableError)
    assert error.retry_after_s == 1.0


def test_a_busy_store_is_worth_another_try() -> None:
    error = _refused(RefusedError("STORE_BUSY", "busy", kind=Kind.EXHAUSTED))
    assert isinstance(error, StoreUnavailableError)
    assert error.reason == "STORE_BUSY"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, StoreUnavailableError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, StoreUnavailableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, StoreUnavailableError),
        (grpc.StatusCode.PERMISSION_DENIED, StoreRefusedError),
        (grpc.StatusCode.UNIMPLEMENTED, StoreRefusedError),
    ],
)
def test_a_bare_status_is_told_apart(code: grpc.StatusCode, kind: type[GarimError]) -> None:
    assert type(error_of(_Failure(code))) is kind
    assert type(error_of(_Failure(code, (("grpc-status-details-bin", b"\xff\xff"),)))) is kind


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    paths = TlsPaths(tmp_path / "c", tmp_path / "k", tmp_path / "t")
    for path in (paths.certificate, paths.key, paths.trust):
        path.write_text("")
    paths.key.chmod(0o640)
    with pytest.raises(GarimError, match="KEY_FILE_MODE"):
        GarimStore("127.0.0.1:1", mesh="test.mesh", tls=paths)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of root's")
@pytest.mark.parametrize(("mode", "taken"), [(0o440, True), (0o444, False), (0o460, False)])
def test_a_key_that_root_mounts_for_the_group_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, taken: bool
) -> None:
    paths = TlsPaths(tmp_path / "c", tmp_path / "k", tmp_path / "t")
    for path in (paths.certificate, paths.key, paths.trust):
        path.write_text("")
    paths.key.chmod(mode)
    monkeypatch.setattr(os, "geteuid", lambda: 65532)
    if taken:
        GarimStore("127.0.0.1:1", mesh="test.mesh", tls=paths).close()
    else:
        with pytest.raises(GarimError, match="KEY_FILE_MODE"):
            GarimStore("127.0.0.1:1", mesh="test.mesh", tls=paths)
