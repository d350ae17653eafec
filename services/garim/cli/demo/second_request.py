"""The demo's second half: what is refused without a second request, and what one opens."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from garim.api.custody.v1 import custody_pb2
from garim.cli import dossier_files, unmask_flow
from garim.cli.audit_check import verify_log
from garim.cli.cases import submit
from garim.cli.demo.chosen import Chosen
from garim.cli.demo.excerpt import pairs_of
from garim.cli.demo.first_request import Disclosed
from garim.cli.demo.stage import Stage
from garim.cli.demo.story import promise
from garim.cli.dossier_commands import open_answers
from garim.cli.files import write_private
from garim.cli.session import session
from garim.cli.unmask_draft import MAX_GROUNDS
from garim.dossier.answers import apply_answers
from garim.dossier.lines import MessageLine
from garim.dossier.opening import OpenedDossier
from garim.dossier.verification import verify_originals
from garim.statements.refusal import RefusedError

ANSWER = "answer.age"


def whom_to_ask_for(chosen: Chosen, lines: list[MessageLine]) -> str:
    """Return the bystander whose identity is asked for: the story's, or who wrote most of the dossier.

    Raises:
        RefusedError: `DEMO_BYSTANDER`: the dossier holds nobody else's messages.
    """
    written = Counter(
        message.sender for message, line in pairs_of(chosen, lines) if line.sender.pseudonym and line.text
    )
    if chosen.wanted in written:
        return str(chosen.wanted)
    if not written:
        raise RefusedError("DEMO_BYSTANDER", "the dossier holds nobody else's messages", field="SUBJECT")
    return written.most_common(1)[0][0]


def pseudonym_of(chosen: Chosen, lines: list[MessageLine], account: str) -> tuple[str, list[str]]:
    """Return a bystander's pseudonym and the messages that will ground the request.

    An investigator finds both by reading; the demo knows whom it will ask for and looks them up.
    """
    own = [
        line
        for message, line in pairs_of(chosen, lines)
        if message.sender == account and line.sender.pseudonym
    ]
    names = {line.sender.pseudonym for line in own}
    promise(len(names) == 1, f"a bystander has one pseudonym wherever they write ({len(names)})")
    longest = sorted(own, key=lambda line: -len(line.text))[:MAX_GROUNDS]
    return str(own[0].sender.pseudonym), sorted(line.number for line in longest)


def try_without(stage: Stage, disclosed: Disclosed) -> None:
    """Show that nothing opens an identity without a second request."""
    story = stage.story
    story.section("Without a second request")
    receipt = disclosed.receipt
    with session(stage.mesh, "", "clerk") as clerk:
        story.refused(
            "the clerk opens a request at custody, without a second document",
            lambda: clerk.custody.RequestUnmask(custody_pb2.RequestUnmaskRequest()),
            "ACCESS_DENIED",
        )
        story.refused(
            "the clerk collects under the dossier's own number",
            lambda: unmask_flow.collect(clerk, bytes.fromhex(receipt.dossier)),
            "REQUEST_UNKNOWN",
        )
        sealed = [one.sealed for one in disclosed.dossier.identities()][:1]
        again = submit(clerk, disclosed.warrant, sealed)
        promise(
            again.state == "refused" or (again.case == disclosed.case and not again.unmask_request),
            "the first warrant is no second request",
        )
        story.right("the first warrant, handed in once more with a sealed identity, opens no request")
    with session(stage.mesh, stage.folder.names("custodian")[0], "custodian") as custodian:
        story.refused(
            "a custodian approves what nobody asked for",
            lambda: unmask_flow.approve(
                custodian, bytes.fromhex(receipt.dossier), stage.places.crls, "TEST", None
            ),
            "REQUEST_UNKNOWN",
        )


def file_second(stage: Stage, disclosed: Disclosed, pseudonym: str, grounds: list[str]) -> bytes:
    """Draft, sign and submit the second request; returns custody's request."""
    story = stage.story
    story.section("The second request")
    payload, sealed = stage.agency.second_request(disclosed.dossier, disclosed.receipt, {pseudonym: grounds})
    story.command(f"unmask draft … --pseudonym {pseudonym}={','.join(grounds)}")
    story.say(f"It names one pseudonym, {pseudonym}, and proves that {len(grounds)} messages hold it.")
    with session(stage.mesh, "", "clerk") as clerk:
        half = submit(clerk, stage.agency.sign(payload, "chief"), sealed)
        promise(half.state == "refused", "a second request without the court's signature is refused")
        reasons = ", ".join(one.reason for one in half.reasons)
        story.right(f"without the judge's signature it is refused: {reasons}")
        signed = stage.agency.sign(payload, "chief", "judge")
        write_private(stage.papers / "second.json", signed)
        filed = submit(clerk, signed, sealed)
    promise(bool(filed.unmask_request), f"the second request reaches the custodians ({filed.state})")
    story.command("document submit second.json --attachments …")
    story.right(f"accepted: request {filed.unmask_request.hex()}, which waits for the custodians")
    return filed.unmask_request


def approve(stage: Stage, request: bytes) -> Path:
    """Let the quorum of custodians approve, one by one, and collect; returns the answer's file."""
    story = stage.story
    names = stage.folder.names("custodian")
    with session(stage.mesh, names[0], "custodian") as custodian:
        needed = custodian.governance().quorum
    for count, name in enumerate(names[:needed]):
        with session(stage.mesh, "", "clerk") as clerk:
            story.refused(
                f"collecting with {count} of {needed} approvals",
                lambda own=clerk: unmask_flow.collect(own, request),  # type: ignore[misc]
                "REQUEST_UNDECIDED",
                "REQUEST_STATE",
            )
        with session(stage.mesh, name, "custodian") as custodian:
            unmask_flow.approve(custodian, request, stage.places.crls, "TEST: grounded", None)
        story.command(f"unmask approve {request.hex()} --as {name}")
        story.say(
            f"{name}'s client verified both documents, grant, receipt and proofs, and re-sealed its shares."
        )
    with session(stage.mesh, "", "clerk") as clerk:
        data = unmask_flow.collect(clerk, request)
        promise(unmask_flow.collect(clerk, request) == data, "collecting again returns the same bytes")
    answer = stage.delivered / ANSWER
    write_private(answer, data)
    story.command(f"unmask collect {request.hex()} --out {ANSWER}")
    return answer


def open_identity(stage: Stage, chosen: Chosen, pseudonym: str, account: str, answer: Path) -> None:
    """Open the answer as the investigator: exactly one identity, the one that was asked for."""
    story = stage.story
    before = _digests(stage.opened)
    genesis = stage.folder.read().genesis
    opened = open_answers(
        stage.opened, answer, stage.agency.identity, stage.delivered / dossier_files.RECEIPT, genesis
    )
    promise(set(opened) == {pseudonym}, "the answer opens exactly the pseudonym that was asked for")
    promise(opened[pseudonym].facts.get("account") == account, "the opened identity is the right one")
    apply_answers(OpenedDossier(stage.opened), opened, stage.applied)
    promise(_digests(stage.opened) == before, "the opened dossier stays as it was")
    stage.summary.identities_unmasked = len(opened)
    stage.summary.more["applied"] = str((stage.applied / "index.html").absolute())
    story.command(f"unmask open {ANSWER} … ; garim dossier apply opened --answer {ANSWER} --out applied")
    story.right(f"{pseudonym} is {opened[pseudonym].name}")
    masks = verify_originals(OpenedDossier(stage.opened), opened)
    promise(masks > 0, "the opened identity stands behind masks")
    story.right(f"each of the {masks} places masked by it hid exactly what the identity says")
    others = len([one for one in chosen.bystanders if one.account != account])
    story.say(f"The other bystanders ({others} in this chat) stay who they were: pseudonyms.")


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def second_half(stage: Stage, chosen: Chosen, disclosed: Disclosed) -> None:
    """Go from the opened dossier to the one opened identity."""
    account = whom_to_ask_for(chosen, disclosed.lines)
    pseudonym, grounds = pseudonym_of(chosen, disclosed.lines, account)
    try_without(stage, disclosed)
    request = file_second(stage, disclosed, pseudonym, grounds)
    answer = approve(stage, request)
    open_identity(stage, chosen, pseudonym, account, answer)


def verify_the_log(stage: Stage) -> None:
    """Read the whole log as the auditor, while the mesh still runs."""
    story = stage.story
    story.section("Verification")
    with session(stage.mesh, "", "auditor") as auditor:
        report = verify_log(auditor)
    stage.summary.log_size = report.size
    stage.summary.more["log"] = dict(sorted(report.types.items()))
    story.command("audit verify")
    story.right(f"log: {report.size} entries rebuild the root that the log has signed; its leaf 0 is genesis")
    for kind in ("disclosure-granted", "dossier-closed", "unmask-granted", "identities-released"):
        promise(report.types[kind] == 1, f"the log holds one {kind}")
    promise(report.types["approval"] >= 1, "the log holds the custodians' approvals")


def verify_offline(stage: Stage) -> None:
    """Verify receipt and package with nothing but files and the genesis digest."""
    genesis = stage.folder.read().genesis
    dossier_files.verify_all(
        stage.delivered / dossier_files.RECEIPT,
        genesis,
        stage.delivered / dossier_files.PACKAGE,
        stage.opened,
    )
    stage.summary.verified = True
    stage.story.command("dossier verify --receipt receipt.json --package dossier.zip.age --opened opened")
    stage.story.right(
        "offline: governance from genesis, custody's receipt and its log proof, the package, every message "
        "and every sealed identity"
    )
