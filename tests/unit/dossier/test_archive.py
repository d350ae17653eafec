"""The archive is one that every zip tool reads, whatever it was put together from."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garim.dossier.archive import Archive, Part, crc_of_both, deflate


def written(entries: dict[str, list[Part]]) -> zipfile.ZipFile:
    target = io.BytesIO()
    archive = Archive(target)
    for name, parts in entries.items():
        archive.stream(name, iter(parts))
    archive.close()
    return zipfile.ZipFile(io.BytesIO(target.getvalue()))


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_an_entry_reads_as_its_parts_behind_each_other(parts: list[bytes]) -> None:
    made = written({"one": [deflate(part) for part in parts], "two": [deflate(b"x")]})
    assert made.testzip() is None
    assert made.read("one") == b"".join(parts)
    assert made.read("two") == b"x"


@given(st.binary(max_size=5_000), st.binary(max_size=5_000))
def test_the_crc_of_both_is_that_of_the_whole(first: bytes, second: bytes) -> None:
    assert crc_of_both(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


def test_parts_of_any_strategy_stand_in_one_entry() -> None:
    data = b"salt" * 1_000
    made = written({"one": [deflate(data, zlib.Z_HUFFMAN_ONLY), deflate(data)]})
    assert made.read("one") == data * 2


def test_an_archive_carries_no_date_and_no_owner() -> None:
    (entry,) = written({"one": [deflate(b"x")]}).infolist()
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert entry.external_attr == 0o600 << 16


def test_a_damaged_part_shows() -> None:
    part = deflate(b"what was written")
    made = written({"one": [Part(part.deflated, part.crc ^ 1, part.size)]})
    with pytest.raises(zipfile.BadZipFile, match="CRC"):
        made.read("one")
