from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from garim.cli import keyfiles
from garim.cli.keyfiles import KeyKind
from garim.sealing import hpke
from garim.sealing.secret import Secret
from garim.statements.refusal import RefusedError

CHEAP = 10


def passphrase(text: str = "a long enough passphrase") -> Secret:
    return Secret(bytearray(text.encode()))


def test_a_decision_key_comes_back_with_its_passphrase(tmp_path: Path) -> None:
    key = keyfiles.make_decision_key(tmp_path / "decision.key", passphrase(), log2_cost=CHEAP)
    again = keyfiles.read_decision_key(tmp_path / "decision.key", passphrase())
    assert again.public_key() == key.public_key()


def test_a_share_key_comes_back_with_its_passphrase(tmp_path: Path) -> None:
    public = keyfiles.make_share_key(tmp_path / "share.key", passphrase(), log2_cost=CHEAP)
    with keyfiles.read_key(tmp_path / "share.key", KeyKind.SHARE, passphrase()) as private:
        assert len(private) == hpke.PRIVATE_BYTES
        assert hpke.public_key(private) == public


def test_a_key_file_is_its_owners_alone_and_shows_no_key(tmp_path: Path) -> None:
    path = tmp_path / "people" / "decision.key"
    key = keyfiles.make_decision_key(path, passphrase(), log2_cost=CHEAP)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert key.private_bytes_raw() not in path.read_bytes()


def test_the_cost_of_guessing_is_high_by_default() -> None:
    assert keyfiles.LOG2_COST >= 17


def _wide(path: Path) -> None:
    path.chmod(0o640)


def _missing(path: Path) -> None:
    path.unlink()


def _cheaper(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[5] = 11
    path.write_bytes(data)


def _no_cost(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[5] = 1
    path.write_bytes(data)


def _bent(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:10])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (_wide, "KEY_FILE_MODE"),
        (_missing, "FILE_MISSING"),
        (_cheaper, "KEY_PASSPHRASE_WRONG"),
        (_no_cost, "KEY_FILE"),
        (_bent, "KEY_PASSPHRASE_WRONG"),
        (_short, "KEY_FILE"),
    ],
)
def test_a_key_file_that_is_not_as_it_was_written_is_refused(
    tmp_path: Path, fault: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "decision.key"
    keyfiles.make_decision_key(path, passphrase(), log2_cost=CHEAP)
    fault(path)
    with pytest.raises(RefusedError) as refused:
        keyfiles.read_decision_key(path, passphrase())
    assert refused.value.reason == reason


def test_another_passphrase_opens_nothing(tmp_path: Path) -> None:
    keyfiles.make_decision_key(tmp_path / "k", passphrase(), log2_cost=CHEAP)
    with pytest.raises(RefusedError) as refused:
        keyfiles.read_decision_key(tmp_path / "k", passphrase("another long passphrase"))
    assert refused.value.reason == "KEY_PASSPHRASE_WRONG"


def test_a_share_key_is_no_decision_key(tmp_path: Path) -> None:
    keyfiles.make_share_key(tmp_path / "k", passphrase(), log2_cost=CHEAP)
    with pytest.raises(RefusedError) as refused:
        keyfiles.read_decision_key(tmp_path / "k", passphrase())
    assert refused.value.reason == "KEY_FILE"


def test_keys_are_never_written_over(tmp_path: Path) -> None:
    keyfiles.make_decision_key(tmp_path / "k", passphrase(), log2_cost=CHEAP)
    with pytest.raises(RefusedError) as refused:
        keyfiles.make_decision_key(tmp_path / "k", passphrase(), log2_cost=CHEAP)
    assert refused.value.reason == "FILE_EXISTS"


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    (tmp_path / "custodian-ga-on").write_text("short\n")
    (tmp_path / "custodian-ga-on").chmod(0o600)
    with pytest.raises(RefusedError) as refused:
        keyfiles.new_passphrase(tmp_path, "custodian-ga-on")
    assert refused.value.reason == "KEY_PASSPHRASE_SHORT"


def test_a_passphrase_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text("a long enough passphrase\n")
    path.chmod(0o644)
    with pytest.raises(RefusedError) as refused:
        keyfiles.passphrase_of(path, None, "custodian ga-on")
    assert refused.value.reason == "KEY_FILE_MODE"


def test_without_a_person_to_ask_a_missing_passphrase_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(RefusedError) as refused:
        keyfiles.passphrase_of(None, None, "custodian ga-on")
    assert refused.value.reason == "KEY_PASSPHRASE_MISSING"
