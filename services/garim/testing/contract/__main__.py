"""Run the contract suite from a command line: `python -m garim.testing.contract --help`."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from garim.statements.refusal import RefusedError
from garim.testing.contract.calls import SERVICES, Callers
from garim.testing.contract.cases import Facts, without_cases
from garim.testing.contract.identities import identities_in
from garim.testing.contract.running import Result, counted, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite and print what it found.

    Args:
        arguments: Words of the command line; those of the process where it is None.

    Returns:
        0 where everything is as the contract says, 1 where something is not, 2 where it could not be asked.
    """
    options = _parser().parse_args(arguments)
    try:
        identities = identities_in(options.identities)
    except (RefusedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    addresses = dict(options.address)
    with Callers(addresses, identities) as callers:
        results = list(run(callers, now(), read_only=options.read_only))
    missing = without_cases()
    sys.stdout.write(_as_json(results, missing) if options.json else _as_table(results, missing))
    return 1 if missing or any(one.problem for one in results) else 0


def now() -> Facts:
    """Return what requests are made of at this moment."""
    return Facts(time.time_ns() // 1_000_000, secrets.token_bytes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m garim.testing.contract",
        description="Call every RPC of running services and compare the answers with the contract.",
    )
    parser.add_argument(
        "--address",
        action="append",
        type=address,
        required=True,
        metavar="SERVICE=HOST:PORT",
        help=f"a service to ask ({', '.join(SERVICES)}); repeat it for others",
    )
    parser.add_argument(
        "--identities",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="tls.pem, tls.key and ca.pem of one identity for each role, at any depth below",
    )
    parser.add_argument("--read-only", action="store_true", help="leave out what stores something")
    parser.add_argument("--json", action="store_true", help="print JSON, with every case")
    return parser


def address(text: str) -> tuple[str, str]:
    """Read a service and its address, written SERVICE=HOST:PORT."""
    service, _, where = text.partition("=")
    if service not in SERVICES or not where:
        raise argparse.ArgumentTypeError(f"write SERVICE=HOST:PORT with one of {', '.join(SERVICES)}")
    return service, where


def _as_table(results: Sequence[Result], missing: Sequence[str]) -> str:
    lines = [f"{'RPC':44} cases failed left-out"]
    lines += [
        f"{rpc:44} {cases:5} {failed:6} {skipped:8}"
        for rpc, (cases, failed, skipped) in counted(results).items()
    ]
    lines += [f"FAILED {one.rpc} {one.case} as {one.role}: {one.problem}" for one in results if one.problem]
    lines += [f"FAILED {rpc}: the suite has no cases of its own" for rpc in missing]
    seconds = sum(one.seconds for one in results)
    lines.append(
        f"{len(results)} cases, {sum(bool(one.problem) for one in results)} failed, "
        f"{sum(one.skipped for one in results)} left out, {seconds:.1f} s"
    )
    return "\n".join(lines) + "\n"


def _as_json(results: Sequence[Result], missing: Sequence[str]) -> str:
    found = {"cases": [asdict(one) for one in results], "without_cases": list(missing)}
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
