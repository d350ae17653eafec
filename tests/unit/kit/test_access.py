from __future__ import annotations

import importlib
import pkgutil

import pytest

import garim.api
from garim.kit.access import access_table, find_rule, find_service
from garim.kit.identity import parse_spiffe_id
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError
from kit_support.echo import NAME, NOBODY, UNLISTED, WIDE


def test_the_table_is_what_stands_with_each_rpc() -> None:
    table = access_table([find_service(NAME)])
    assert sorted(table) == [f"/{NAME}/{name}" for name in ("Count", "Gather", "Say", "SayOnce", "Talk")]
    say = table[f"/{NAME}/Say"]
    assert (say.callers, say.idempotent, say.deadline_s) == (
        ("service/redaction", "person/custodian"),
        True,
        5,
    )
    assert not table[f"/{NAME}/SayOnce"].idempotent
    assert find_rule(f"/{NAME}/Say") == say


def test_every_rpc_without_valid_rule_is_told_at_once() -> None:
    with pytest.raises(RefusedWithReasonsError) as caught:
        access_table([find_service(name) for name in (UNLISTED, NAME, NOBODY, WIDE)])
    assert [(reason.reason, reason.field) for reason in caught.value.reasons] == [
        ("ACCESS_UNLISTED_RPC", f"/{UNLISTED}/Say"),
        ("ACCESS_UNLISTED_RPC", f"/{NOBODY}/Say"),
        ("ACCESS_RULE_INVALID", f"/{WIDE}/Say"),
    ]


@pytest.mark.parametrize("path", [f"/{NAME}/Shout", "/no.Service/Say", "", "/", f"/{UNLISTED}/Say"])
def test_what_is_not_listed_has_no_rule(path: str) -> None:
    with pytest.raises(RefusedError, match="ACCESS_UNLISTED_RPC"):
        find_rule(path)


def test_who_is_not_listed_is_refused() -> None:
    rule = find_rule(f"/{NAME}/Say")
    rule.check(parse_spiffe_id("spiffe://m/person/custodian/lee", "m"))
    for path in ("service/custody", "person/reviewer/lee", "backend/redaction", "agency/redaction"):
        with pytest.raises(RefusedError, match="ACCESS_DENIED") as caught:
            rule.check(parse_spiffe_id(f"spiffe://m/{path}", "m"))
        assert caught.value.kind is Kind.FORBIDDEN


def test_every_rpc_of_the_mesh_has_a_valid_rule() -> None:
    services = [
        service
        for module in pkgutil.walk_packages(garim.api.__path__, "garim.api.")
        if module.name.endswith("_pb2")
        for service in importlib.import_module(module.name).DESCRIPTOR.services_by_name.values()
    ]
    assert len(services) == 5
    assert access_table(services)
