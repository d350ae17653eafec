"""What the demo tells: sections, plain sentences, the command that each step stands for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from garim.cli.output import Bar, bar, facts
from garim.statements.refusal import RefusedError

WIDEST = 132
PLAIN = 110


class Story:
    """Tells the demo's story on a terminal.

    Args:
        console: Where it is told.
        quiet: Tell nothing: a program reads the summary.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(highlight=False)
        self.console.width = min(self.console.width, WIDEST) if self.console.is_terminal else PLAIN
        self.quiet = quiet
        self.interrupted = False
        self._number = 0
        self._began = time.monotonic()

    def section(self, title: str) -> None:
        """Begin a chapter, unless the demo was interrupted.

        An interrupt that arrives inside a library's callback is swallowed there; it ends the demo here.
        """
        self._go_on()
        self._number += 1
        seconds = time.monotonic() - self._began
        if not self.quiet:
            self.console.print()
            head = Text.assemble((f"{self._number}. {title}", "bold cyan"), (f"   {seconds:.1f} s", "dim"))
            self.console.print(head)

    def say(self, text: str) -> None:
        """Tell a sentence."""
        self._show(Text(text))

    def command(self, text: str) -> None:
        """Name the command that does the same."""
        self._show(Text(f"$ garim {text}", style="dim"))

    def facts(self, rows: Iterator[tuple[str, Any]] | list[tuple[str, Any]]) -> None:
        """Show figures."""
        self._show(facts(rows))

    def show(self, what: RenderableType) -> None:
        """Show a table."""
        self._show(what)

    def _go_on(self) -> None:
        if self.interrupted:
            raise KeyboardInterrupt

    def right(self, text: str) -> None:
        """Say that a promise was kept."""
        self._go_on()
        self._show(Text.assemble(("✓ ", "bold green"), text))

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Bar]:
        """Show a progress bar."""
        with bar(what, total, quiet=self.quiet) as shown:
            yield shown

    def refused(self, what: str, attempt: Callable[[], object], *reasons: str) -> None:
        """Try what must be refused, and show the refusal.

        Args:
            what: What is tried.
            attempt: Tries it.
            reasons: The reasons that are right.

        Raises:
            RefusedError: `DEMO_PROMISE`: it was not refused, or for another reason.
        """
        try:
            attempt()
        except RefusedError as error:
            promise(error.reason in reasons, f"{what}: refused as {error.reason}, not {' or '.join(reasons)}")
            said = Text.assemble(
                ("✗ ", "bold red"), f"{what}: ", (error.reason, "bold"), (f" - {error.message}", "dim")
            )
            self._show(said)
            return
        raise RefusedError("DEMO_PROMISE", f"{what}: was not refused")

    def _show(self, what: RenderableType) -> None:
        if not self.quiet:
            self.console.print(Padding(what, (0, 0, 0, 3), expand=False))


def promise(holds: bool, what: str) -> None:
    """End the demo where something is not as promised.

    Raises:
        RefusedError: `DEMO_PROMISE`.
    """
    if not holds:
        raise RefusedError("DEMO_PROMISE", what)
