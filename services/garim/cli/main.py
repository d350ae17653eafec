"""The command's entry point: its groups, and what happens to errors."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from garim.cli.audit_commands import app as audit_app
from garim.cli.bench.commands import app as bench_app
from garim.cli.case_commands import app as case_app
from garim.cli.custody_commands import app as custody_app
from garim.cli.doctor.command import doctor
from garim.cli.document_commands import app as document_app
from garim.cli.dossier_commands import app as dossier_app
from garim.cli.etsi_commands import app as etsi_app
from garim.cli.governance_commands import app as governance_app
from garim.cli.import_command import import_chat
from garim.cli.mesh_commands import app as mesh_app
from garim.cli.messages_commands import app as messages_app
from garim.cli.options import JSON_KEY
from garim.cli.output import err, print_refusal
from garim.cli.policy_commands import app as policy_app
from garim.cli.redact_commands import app as redact_app
from garim.cli.review_commands import app as review_app
from garim.cli.trust_commands import app as trust_app
from garim.cli.unmask_commands import app as unmask_app
from garim.kit.errors import places_of
from garim.statements.refusal import Kind, RefusedError

INTERRUPTED = 130


class GarimGroup(TyperGroup):
    """Turns every error of a command into plain words and a status."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; see `typer.core.TyperGroup`.

        Raises:
            Exit: Status 1 after a refusal or fault, 130 after an interruption.
        """
        try:
            return super().invoke(ctx)
        except RefusedError as refusal:
            print_refusal(refusal, as_json=bool(ctx.meta.get(JSON_KEY)))
        except OSError as error:
            print_refusal(_file_refusal(error), as_json=bool(ctx.meta.get(JSON_KEY)))
        except KeyboardInterrupt:
            err().print("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if type(error).__module__.startswith(("typer", "click")):
                raise
            # The text of an unexpected error may quote what was being worked on.
            fault = RefusedError("INTERNAL", f"{type(error).__name__} at {places_of(error)}")
            print_refusal(fault, as_json=bool(ctx.meta.get(JSON_KEY)))
        raise typer.Exit(1)


def _file_refusal(error: OSError) -> RefusedError:
    where = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return RefusedError(
        "FILE_FAILED", f"{where}{error.strerror or type(error).__name__}", kind=Kind.PRECONDITION
    )


app = typer.Typer(
    cls=GarimGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Garim (가림): answers warrants for a messaging operator without handing over bystanders.",
)
app.command("import")(import_chat)
app.command("doctor")(doctor)
app.add_typer(governance_app, name="governance")
app.add_typer(mesh_app, name="mesh")
app.add_typer(document_app, name="document")
app.add_typer(policy_app, name="policy")
app.add_typer(trust_app, name="trust")
app.add_typer(case_app, name="case")
app.add_typer(etsi_app, name="etsi")
app.add_typer(review_app, name="review")
app.add_typer(dossier_app, name="dossier")
app.add_typer(unmask_app, name="unmask")
app.add_typer(custody_app, name="custody")
app.add_typer(audit_app, name="audit")
app.add_typer(messages_app, name="messages")
app.add_typer(redact_app, name="redact")
app.add_typer(bench_app, name="bench")


def run() -> None:
    """Run the command line."""
    app()
