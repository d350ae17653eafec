"""Shows the figures that the tests of images took."""

from __future__ import annotations

import pytest

from deploy_support.containers import FIGURES


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[FIGURES]:
        terminalreporter.write_line(f"  {line}")
