"""What commands print: words for a person or JSON for a program, and one sentence where they cannot do their work."""

import json
from typing import Annotated

import typer

from app.effects.sealing import WrongMasterKey
from app.services.mistakes import Mistake
from app.wiring import CannotStart

Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]


class explained:  # noqa: N801  reads as a word
    """Turns what the operator can mend into a sentence and the exit code 1."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, fault: BaseException | None, _traceback: object) -> None:
        if isinstance(fault, CannotStart | Mistake | ValueError | WrongMasterKey):
            message = fault.message if isinstance(fault, Mistake) else str(fault)
            typer.echo(f"gatepass: {message}", err=True)
            raise typer.Exit(1) from None


def say(value: object, words: str, *, as_json: bool) -> None:
    """Print the value as one line of JSON, or the words."""
    typer.echo(json.dumps(value) if as_json else words)
