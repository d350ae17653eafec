from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e_support import irc
from mesh_support.live import LiveMesh

# All ten rooms with three subjects each are for `make irc-check`; these two hold the most mentions and a
# subject who was there for a part of the time only.
SAMPLE = {"2004-11-15_03.raw.txt": 2, "2011-05-29_19.raw.txt": 1}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not irc.paths(), reason="the outside test data is not here"),
]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMesh]:
    with LiveMesh(tmp_path_factory.mktemp("mesh") / "mesh") as started:
        yield started


@pytest.mark.parametrize("name", SAMPLE)
def test_no_addressed_bystander_and_no_bystanders_id_stands_in_an_opened_dossier(
    mesh: LiveMesh, tmp_path: Path, name: str
) -> None:
    room = irc.read_room(irc.CHATS / name, irc.read_gold())
    irc.store(mesh, room)
    for subject in room.busiest(SAMPLE[name]):
        found = irc.disclose(mesh, room, subject, tmp_path / subject.replace(":", "-"))
        assert found.lines > 500
        assert found.subject_lines > 50
        assert found.addressed > 100
        assert found.standing == []
        assert found.nicks == []
        assert found.senders == []
        assert found.changed == []
        assert found.unmatched == []
