"""A whole disclosure on a mesh whose tables lie on PostgreSQL, through the server's restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit_support.postgres import own_server
from mesh_support.live import LiveMesh, insist

pytestmark = pytest.mark.timeout(240)


def test_a_disclosure_from_message_to_package_outlives_the_servers_restart(tmp_path: Path) -> None:
    with own_server() as server, LiveMesh(tmp_path / "mesh", database=server.server("postgres")) as mesh:
        chosen = mesh.store_sample()
        case = mesh.granted(mesh.document([("account", chosen.subject)], chosen.period))
        server.stop("immediate")
        server.start()
        insist(lambda: mesh.build(case))
        receipt, opened = mesh.fetch(case, tmp_path / "fetched")
        assert receipt.messages == len(list(opened.messages()))
        assert not list(tmp_path.rglob("database.sqlite"))
