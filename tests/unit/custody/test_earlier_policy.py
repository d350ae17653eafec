"""A case keeps the policy it was judged under; a new case gets none that was replaced before it began."""

from __future__ import annotations

import copy
import hashlib

import pytest
import yaml

from custody_support.vault import POLICY, Request, Vault
from garim.documents.fields import write_instant
from garim.kit.governance import Version
from garim.statements.refusal import RefusedError
from garim.testing.records import Stored

STRICTER = POLICY.replace(b"- id: drugs\n", b"- id: narcotics\n")
MINUTE_MS = 60_000


def replace_policy(vault: Vault) -> None:
    """Pin another policy from now on, and deliver it."""
    governance = vault.operator.governance
    governance.policy = hashlib.sha256(STRICTER).hexdigest()
    governance.now_ms = vault.clock.now_ms()
    governance.advance()
    vault.policy = STRICTER


def draw_up_replacement(vault: Vault) -> Version:
    """Draw up a version that pins another policy; it waits for its quorum."""
    governance = vault.operator.governance
    governance.policy = hashlib.sha256(STRICTER).hexdigest()
    governance.now_ms = vault.clock.now_ms()
    draft = governance.draft(version=2, previous=governance.digest_in_force())
    return governance.signed(draft, in_force=1)


def log_replacement(vault: Vault, version: Version) -> None:
    """Put a version in force by its log entry, and deliver its policy."""
    logged = vault.ledger.append("governance", version.document, key="2")
    vault.operator.governance.chain.take(version._replace(proof=logged.proof))
    vault.policy = STRICTER


def old_style(vault: Vault, issued_ms: int) -> Request:
    """Return a request whose grant names the replaced policy."""
    digest = hashlib.sha256(POLICY).hexdigest()
    return vault.request(document={"issued_at": write_instant(issued_ms)}, grant={"policy": digest})


def test_a_case_granted_before_a_change_keeps_its_policy(vault: Vault, stored: Stored) -> None:
    request = vault.request()
    vault.clock.advance(MINUTE_MS)
    replace_policy(vault)
    assert vault.release(vault.create(request), stored)


def test_without_the_earlier_file_nothing_is_judged(vault: Vault, stored: Stored) -> None:
    request = vault.request()
    vault.clock.advance(MINUTE_MS)
    replace_policy(vault)
    vault.kept_policies = [STRICTER]
    with pytest.raises(RefusedError, match="POLICY_MISSING"):
        vault.create(request)
    assert stored


def test_a_document_issued_after_the_change_is_not_judged_by_the_earlier_policy(
    vault: Vault, stored: Stored
) -> None:
    replace_policy(vault)
    vault.clock.advance(2 * MINUTE_MS)
    with pytest.raises(RefusedError, match="POLICY_OTHER"):
        vault.create(old_style(vault, vault.clock.now_ms() - MINUTE_MS))
    assert stored


def test_a_policy_that_was_pinned_only_later_judges_no_earlier_grant(vault: Vault, stored: Stored) -> None:
    later = hashlib.sha256(STRICTER).hexdigest()
    request = vault.request(grant={"policy": later})
    vault.clock.advance(MINUTE_MS)
    replace_policy(vault)
    vault.operator.governance.policy = hashlib.sha256(POLICY).hexdigest()
    vault.clock.advance(MINUTE_MS)
    vault.operator.governance.now_ms = vault.clock.now_ms()
    vault.operator.governance.advance()
    vault.policy, vault.kept_policies = POLICY, [STRICTER]
    with pytest.raises(RefusedError, match="POLICY_OTHER"):
        vault.create(request)
    assert stored


def test_a_policy_counts_until_its_successor_is_logged_however_long_that_was_drawn_up(
    vault: Vault, stored: Stored
) -> None:
    version = draw_up_replacement(vault)
    vault.clock.advance(2 * MINUTE_MS)
    request = old_style(vault, vault.clock.now_ms() - MINUTE_MS)
    vault.clock.advance(MINUTE_MS)
    log_replacement(vault, version)
    assert vault.release(vault.create(request), stored)


def test_a_case_received_before_a_change_and_granted_after_it_keeps_its_policy(
    vault: Vault, stored: Stored
) -> None:
    issued_ms = vault.clock.now_ms()
    vault.clock.advance(MINUTE_MS)
    log_replacement(vault, draw_up_replacement(vault))
    vault.clock.advance(MINUTE_MS)
    assert vault.release(vault.create(old_style(vault, issued_ms)), stored)


def test_a_document_issued_after_the_log_entry_of_the_change_gets_the_new_policy_only(
    vault: Vault, stored: Stored
) -> None:
    log_replacement(vault, draw_up_replacement(vault))
    vault.clock.advance(2 * MINUTE_MS)
    with pytest.raises(RefusedError, match="POLICY_OTHER"):
        vault.create(old_style(vault, vault.clock.now_ms() - MINUTE_MS))
    assert stored


def pin_dated_policy(vault: Vault, from_ms: int) -> None:
    """Pin a policy whose next version, in force from an instant on, refuses everything."""
    document = yaml.safe_load(POLICY)
    refusing = copy.deepcopy(document["versions"][-1])
    refusing |= {
        "id": "refusing",
        "valid_from": write_instant(from_ms),
        "refuse_all": {"ko": "거부", "en": "no"},
    }
    document["versions"].append(refusing)
    dated = yaml.safe_dump(document, allow_unicode=True).encode()
    governance = vault.operator.governance
    governance.policy = hashlib.sha256(dated).hexdigest()
    governance.now_ms = vault.clock.now_ms()
    governance.advance()
    vault.policy = dated


def test_of_a_policys_dated_versions_the_one_at_the_grants_log_entry_counts(
    vault: Vault, stored: Stored
) -> None:
    pin_dated_policy(vault, vault.clock.now_ms() + 5 * MINUTE_MS)
    vault.clock.advance(2 * MINUTE_MS)
    before = vault.request(grant={"policy": vault.operator.governance.policy})
    vault.clock.advance(6 * MINUTE_MS)
    assert vault.release(vault.create(before), stored)


def test_a_grant_logged_under_a_refusing_version_opens_nothing(vault: Vault, stored: Stored) -> None:
    pin_dated_policy(vault, vault.clock.now_ms() + MINUTE_MS)
    vault.clock.advance(2 * MINUTE_MS)
    with pytest.raises(RefusedError, match="REFUSE_ALL"):
        vault.create(vault.request(grant={"policy": vault.operator.governance.policy}))
    assert stored
