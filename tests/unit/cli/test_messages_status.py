from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from garim.cli.main import app
from messages_support import people
from messages_support.store import NOW_MS, StoreWorld

ROOM = people.room("방-1", [1, 2])


def test_the_status_of_a_store_names_epochs_and_nobody(tmp_path: Path) -> None:
    world = StoreWorld(tmp_path)
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, people.chatter(NOW_MS - 9, [1], 7))))
    world.close()
    settings = str(tmp_path / "messages.toml")
    shown = CliRunner().invoke(app, ["messages", "status", settings])
    assert shown.exit_code == 0
    assert "open" in shown.output
    assert "acct" not in shown.output
    described = json.loads(CliRunner().invoke(app, ["messages", "status", settings, "--json"]).output)
    first = described["epochs"][0]
    assert (first["state"], first["batches"], first["messages"]) == ("open", 1, 7)
    assert first["epoch"] == world.custody.epochs[0].id.hex()
