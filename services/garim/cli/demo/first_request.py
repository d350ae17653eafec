"""The demo's first half: the warrant, its review, the dossier, what the investigator reads."""

from __future__ import annotations

from dataclasses import dataclass

from garim.cli import dossier_files
from garim.cli.cases import submit
from garim.cli.demo import leaks
from garim.cli.demo.chosen import Chosen
from garim.cli.demo.excerpt import best_stretch, pairs_of, side_by_side
from garim.cli.demo.stage import Stage
from garim.cli.demo.story import promise
from garim.cli.document_files import crls_in
from garim.cli.dossier_build import Built, build
from garim.cli.files import write_private
from garim.cli.hold_commands import lift
from garim.cli.review_commands import checked_case, review, review_facts
from garim.cli.session import session
from garim.dossier.lines import MessageLine
from garim.dossier.opening import OpenedDossier
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError

MAX_LIFTS = 3
FIGURES = ("messages", "conversations", "subjects", "bystanders", "pseudonyms")


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What the first half leaves to the second.

    Attributes:
        warrant: The signed first document.
        case: Its case.
        receipt: The dossier's verified receipt.
        dossier: The opened dossier.
        lines: Its messages.
    """

    warrant: bytes
    case: bytes
    receipt: DossierReceipt
    dossier: OpenedDossier
    lines: list[MessageLine]


def file_warrant(stage: Stage, chosen: Chosen) -> tuple[bytes, bytes]:
    """Draft, sign and submit the warrant; returns it with its case."""
    story, agency = stage.story, stage.agency
    story.section("The warrant")
    draft = agency.warrant(chosen)
    story.command(
        "document draft disclosure … ; garim document sign … (judge) ; garim document sign … (chief)"
    )
    half = agency.sign(draft, "chief")
    signed = agency.sign(half, "judge")
    write_private(stage.papers / "warrant.json", signed)
    story.facts(
        [
            ("subject", f"{chosen.name_of(chosen.subject)} ({chosen.subject})"),
            ("period", " up to ".join(chosen.period)),
            ("signed by", "TEST judge and TEST chief investigator, two certificates, two keys"),
        ]
    )
    if chosen.shortened:
        story.say("The chat is longer than policy lets a warrant ask for: its last 184 days are asked for.")
    with session(stage.mesh, "", "clerk") as clerk:
        half_filed = submit(clerk, half, [])
        promise(half_filed.state == "refused", "a warrant with one signature is refused")
        reasons = ", ".join(one.reason for one in half_filed.reasons)
        story.right(f"with the chief investigator's signature alone it is refused: {reasons}")
        filed = submit(clerk, signed, [])
    story.command("document submit warrant.json")
    promise(filed.state == "in-review", f"the warrant is under review ({filed.state})")
    story.right(f"accepted: case {filed.case.hex()}, which waits for the review committee")
    return signed, filed.case


def review_case(stage: Stage, case: bytes) -> None:
    """Show the forecast, then let the quorum of reviewers approve."""
    story = stage.story
    story.section("The review")
    names = stage.folder.names("reviewer")
    with session(stage.mesh, names[0], "reviewer") as reviewer:
        checked, causes = checked_case(reviewer, case, stage.places.crls)
        needed = reviewer.governance().review_quorum
    forecast = review_facts(checked)["forecast"]
    story.say("Nobody has read a message yet: the store has counted blinded tags and rounded up.")
    story.facts([(f"{name.replace('_', ' ')}, at most", f"{n:,}") for name, n in forecast.items()])
    story.say("Why the committee must decide: " + ", ".join(one.reason for one in causes))
    stage.summary.more["forecast"] = forecast
    granted = ""
    for name in names[:needed]:
        with session(stage.mesh, name, "reviewer") as reviewer:
            answer = review(reviewer, case, stage.places.crls, "review-approve", "TEST: proportionate", None)
        story.command(f"review approve {case.hex()} --as {name}")
        granted = f"{answer.approvals} of {answer.needed} approvals"
    story.right(f"granted: {granted}; each reviewer's client verified document and forecast before it signed")


def build_dossier(stage: Stage, case: bytes) -> Built:
    """Build the dossier; where the leak scan holds places, let two reviewers lift them."""
    story = stage.story
    story.section("The dossier")
    story.command(f"dossier build {case.hex()}")
    for _ in range(MAX_LIFTS):
        with session(stage.mesh, "", "clerk") as clerk, story.progress("preparing") as progress:
            try:
                return build(clerk, case, lambda stage, done, total: progress.to(done, total or None, stage))
            except RefusedError as error:
                if error.reason != "LEAK_HOLDS":
                    raise
        _lift_holds(stage, case)
    raise RefusedError("DEMO_PROMISE", "the leak scan holds places again and again")


def _lift_holds(stage: Stage, case: bytes) -> None:
    story = stage.story
    names = stage.folder.names("reviewer")
    held = 0
    for name in names:
        with session(stage.mesh, name, "reviewer") as reviewer:
            answer = lift(reviewer, case, crls_in(stage.places.crls), "TEST: a word, nobody's name", None)
        held = answer.needed
        story.command(f"dossier holds lift {case.hex()} --as {name}")
        if answer.lifts >= answer.needed:
            break
    stage.summary.more["held"] = True
    story.say(f"The leak scan held places where a name is also a word; {held} reviewers lifted them.")


def deliver(stage: Stage, chosen: Chosen, case: bytes, built: Built) -> tuple[DossierReceipt, OpenedDossier]:
    """Fetch the package, open it as the investigator, and look for leaks."""
    story, summary = stage.story, stage.summary
    with session(stage.mesh, "", "clerk") as clerk, story.progress("bytes") as progress:
        receipt = dossier_files.fetch(clerk, case, stage.delivered, clerk.mesh.genesis, progress.to)
    story.command(f"dossier fetch {case.hex()} ; garim dossier open dossier.zip.age --identity …")
    dossier = dossier_files.open_package(
        stage.delivered / dossier_files.PACKAGE, stage.agency.identity, stage.opened
    )
    figures = built.figures
    for name in FIGURES:
        setattr(summary, name, int(getattr(figures, name)))
    summary.more["opaque"] = int(figures.opaque)
    summary.package = str((stage.delivered / dossier_files.PACKAGE).absolute())
    summary.opened = str(stage.opened.absolute())
    summary.transcript = str((stage.opened / "transcript" / "index.html").absolute())
    story.facts([(name, f"{getattr(summary, name):,}") for name in FIGURES])
    if figures.opaque:
        story.say(f"A secret chat exists, too: {figures.opaque} blocks that nobody but its members can read.")
    promise(summary.messages > 0 and summary.subjects == 1, "the dossier holds the subject's conversations")
    _look_for_leaks(stage, chosen, dossier)
    return receipt, dossier


def _look_for_leaks(stage: Stage, chosen: Chosen, dossier: OpenedDossier) -> None:
    subject = next(one for one in chosen.people if one.account == chosen.subject)
    found = leaks.scan(dossier, chosen.bystanders, subject)
    stage.summary.leaks = len(found.certain)
    stage.summary.more["doubtful"] = found.doubtful
    places = ", ".join(sorted(set(found.certain))[:10])
    promise(not found.certain, f"no bystander stands in the dossier (see {places})")
    stage.story.right(f"none of {found.forms} names, accounts and numbers of bystanders stands in it")


def show_excerpt(stage: Stage, chosen: Chosen, dossier: OpenedDossier) -> list[MessageLine]:
    """Show a stretch before and after; returns the dossier's messages."""
    story = stage.story
    story.section("Before and after")
    lines = list(dossier.messages())
    pairs = pairs_of(chosen, lines)
    promise(bool(pairs), "the dossier holds messages of the chat")
    width = max(60, story.console.width - 3)
    story.show(side_by_side(chosen, best_stretch(pairs), width=width))
    return lines


def first_half(stage: Stage, chosen: Chosen) -> Disclosed:
    """Go from the warrant to what the investigator reads."""
    signed, case = file_warrant(stage, chosen)
    review_case(stage, case)
    built = build_dossier(stage, case)
    receipt, dossier = deliver(stage, chosen, case, built)
    lines = show_excerpt(stage, chosen, dossier)
    return Disclosed(signed, case, receipt, dossier, lines)
