from __future__ import annotations

from pathlib import Path

import pytest

from garim.importers import SecretBlock, read_secret
from garim.statements.refusal import RefusedError

HEAD = "garim-secret-chat 1\nmembers\tkakao:하늘\tkakao:보라\n"
BLOCK = "2026-03-07T09:00:00+09:00\tkakao:하늘\tc2VjcmV0\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "secret.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_secret_chat_is_read_as_opaque_blocks(tmp_path: Path) -> None:
    chat = read_secret(write(tmp_path, HEAD + "# a comment\n" + BLOCK))
    assert chat.members == ("kakao:하늘", "kakao:보라")
    assert chat.blocks == (SecretBlock(1_772_841_600_000, "kakao:하늘", b"secret"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello\n" + BLOCK, "CHAT_FORMAT_UNKNOWN"),
        ("garim-secret-chat 1\n" + BLOCK, "CHAT_LINE"),
        ("garim-secret-chat 1\nmembers\tkakao:하늘\n" + BLOCK, "CHAT_LINE"),
        (HEAD, "CHAT_EMPTY"),
        ("", "CHAT_EMPTY"),
        (HEAD + BLOCK.replace("kakao:하늘", "kakao:그늘"), "CHAT_LINE"),
        (HEAD + BLOCK.replace("+09:00", ""), "CHAT_LINE"),
        (HEAD + BLOCK.replace("2026", "soon"), "CHAT_LINE"),
        (HEAD + BLOCK.replace("c2VjcmV0", "c2Vj!cmV0"), "CHAT_LINE"),
        (HEAD + BLOCK.replace("c2VjcmV0", ""), "CHAT_LINE"),
        (HEAD + BLOCK.replace("\tc2VjcmV0", ""), "CHAT_LINE"),
    ],
)
def test_any_other_form_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        read_secret(write(tmp_path, text))
    assert refused.value.reason == reason
    assert "하늘" not in str(refused.value)
