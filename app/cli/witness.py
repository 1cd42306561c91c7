"""`clearance witness`: signs that logs only ever grow, for whoever does not trust their operator."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import print_note, print_text
from app.client.errors import UserError
from app.evidence.signed_note import BadKey, SigningKey, VerifierKey
from app.evidence.witness import Witness
from app.local.secrets import read_private, write_new

KEY_FILE = "witness.key"


class BadWitness(UserError):
    """A key is none, or of another use than is asked for."""


def witness(
    logs: Annotated[list[str], typer.Option("--log", help="the key of a log to witness, or a file that holds it")],
    *,
    state: Annotated[Path, typer.Option(help="folder of the witness: its key, and what it saw of each log")],
    name: Annotated[str, typer.Option(help="of a new witness: a host and a path, as in witness.example.com/w1")] = "",
    host: Annotated[
        str, typer.Option(help="address to listen at; in front of others belongs a TLS proxy")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8720,
    log_json: Annotated[bool, typer.Option("--log-json/--log-text", help="how log lines are written")] = False,
) -> None:
    """Watch logs from elsewhere: sign each checkpoint that only adds to the one before, and refuse a rewritten log.

    Run it where the operator of the log cannot write. It needs neither the service nor its database.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = _own_key(state / KEY_FILE, name)
    try:
        keys = [VerifierKey.parse(Path(each).read_text("utf-8") if Path(each).is_file() else each) for each in logs]
        made = Witness(state, key, keys)
    except (ValueError, OSError) as error:
        raise BadWitness(f"--log names no key of a log: {error}") from error
    print_text(str(key.verifier))
    print_note(f"That is the key of this witness. It listens at http://{host}:{port}; Ctrl-C ends it.")
    # The web server, for this command alone.
    from app import log  # noqa: PLC0415
    from app.witness_server import serve  # noqa: PLC0415

    log.configure(json=log_json)
    serve(made, host, port)


def _own_key(path: Path, name: str) -> SigningKey:
    """The key of the folder; a new one under `name` if it has none yet."""
    try:
        if not path.exists():
            if not name:
                raise BadWitness("this folder has no key yet: --name says what a new one is called")
            write_new(path, SigningKey.generate(name, "witness").secret() + "\n")
        key = SigningKey.parse(read_private(path))
    except BadKey as error:
        raise BadWitness(f"{path}: {error}") from error
    if key.use != "witness" or name not in {"", key.name}:
        raise BadWitness(f"{path} is the key of {key.name}, for {key.use} use")
    return key
