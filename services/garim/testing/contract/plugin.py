"""The suite for pytest: one test for each case.

`pytest -p garim.testing.contract.plugin --pyargs garim.testing.contract.suite --contract-identities FOLDER
--contract-address messages=HOST:PORT`
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from garim.testing.contract.__main__ import address, now
from garim.testing.contract.calls import SERVICES, Callers
from garim.testing.contract.cases import Case
from garim.testing.contract.identities import identities_in
from garim.testing.contract.running import all_of, judged
from garim.testing.contract.stories import Story


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say whom to ask, and as whom."""
    group = parser.getgroup("garim", "contract of Garim's services")
    group.addoption(
        "--contract-address",
        action="append",
        type=address,
        default=[],
        metavar="SERVICE=HOST:PORT",
        help=f"a service to ask: {', '.join(SERVICES)}",
    )
    group.addoption("--contract-identities", metavar="FOLDER", help="identities, one for each role")
    group.addoption("--contract-read-only", action="store_true", help="skip what stores something")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `contract_case` every case of the services that an address is known of."""
    if "contract_case" not in metafunc.fixturenames:
        return
    services = dict(metafunc.config.getoption("--contract-address"))
    cases = [one for service in services for one in all_of(service)]
    metafunc.parametrize("contract_case", cases, ids=[one.label for one in cases])


@pytest.fixture(scope="session")
def contract_callers(pytestconfig: pytest.Config) -> Iterator[Callers]:
    """Channels to the services that the options name."""
    identities = identities_in(pytestconfig.rootpath / pytestconfig.getoption("--contract-identities"))
    with Callers(dict(pytestconfig.getoption("--contract-address")), identities) as callers:
        yield callers


@pytest.fixture
def contract_problem(
    contract_case: Case | Story, contract_callers: Callers, pytestconfig: pytest.Config
) -> str:
    """What is otherwise than the contract says; empty where nothing is."""
    read_only = bool(pytestconfig.getoption("--contract-read-only"))
    result = judged(contract_case, contract_callers, now(), read_only=read_only)
    if result.skipped:
        pytest.skip("stores something")
    return result.problem
