"""Where the demo plays: its folder, its mesh, its story."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from garim.cli.demo.agency import Agency
from garim.cli.demo.story import Story
from garim.cli.demo.summary import Summary
from garim.cli.files import make_folder
from garim.cli.mesh_plan import Places
from garim.cli.mesh_processes import Processes
from garim.cli.meshfolder import MeshFolder
from garim.statements.refusal import Kind, RefusedError

MARK = ".garim-demo"


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo's folder and what is told.

    Attributes:
        root: The folder.
        story: Tells what happens.
        summary: Its figures.
    """

    root: Path
    story: Story
    summary: Summary = field(default_factory=Summary)

    @property
    def mesh(self) -> Path:
        """The mesh's folder."""
        return self.root / "mesh"

    @property
    def folder(self) -> MeshFolder:
        """The mesh's folder, for its people."""
        return MeshFolder(self.mesh)

    @property
    def places(self) -> Places:
        """The mesh's folders."""
        return Places(self.mesh)

    @property
    def papers(self) -> Path:
        """The agency's documents."""
        return self.root / "papers"

    @property
    def delivered(self) -> Path:
        """The encrypted package with its receipt, and the answer."""
        return self.root / "delivered"

    @property
    def opened(self) -> Path:
        """The opened dossier."""
        return self.root / "opened"

    @property
    def applied(self) -> Path:
        """The transcript with the one identity opened."""
        return self.root / "applied"

    @property
    def agency(self) -> Agency:
        """The TEST court and agency."""
        return Agency(self.places, self.papers)

    def clear(self) -> None:
        """Make the folder empty; only one that an earlier demo left.

        Raises:
            RefusedError: `DEMO_FOLDER`: the folder holds something else.
        """
        if self.root.exists() and any(self.root.iterdir()):
            if not (self.root / MARK).exists():
                raise RefusedError(
                    "DEMO_FOLDER", f"{self.root} holds something else: name another folder", kind=Kind.EXISTS
                )
            if self.folder.exists():
                Processes(self.places).stop()
            shutil.rmtree(self.root)
        make_folder(self.root)
        (self.root / MARK).touch()
        make_folder(self.papers)
