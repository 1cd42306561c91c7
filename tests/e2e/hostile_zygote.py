"""The real zygote with a parser that does what a file says: started in place of `python -m ingest.zygote`.

`hostile_zygote.py UID NO_NEW_PRIVILEGES …`: UID is the user of the arrangement (0: stay), the rest is the zygote's own.
The parsers are loaded before the change of user, who need not be able to enter the folder that they lie in.
"""

import ctypes
import json
import os
import sys

from ingest import zygote
from ingest.document import Block, Extracted
from ingest.extract import extract
from ingest.preload import warm_up
from tests.e2e import hostile_code

MARK = b"HOSTILE\n"
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38


def hostile(content: bytes, *, filename: str) -> Extracted:
    """Obey `MARK` and a JSON object: attack its targets, or run its code. All else is parsed."""
    if not content.startswith(MARK):
        return extract(content, filename=filename)
    order = json.loads(content.removeprefix(MARK))
    if "code" in order:
        exec(order["code"], {"libc": hostile_code.libc})  # what a file that took the parser over would do
        said = "came back"
    else:
        said = json.dumps(hostile_code.attempt(order))
    return Extracted(title="t", blocks=(Block(said, "paragraph", (), None),), media_type="text/plain")


def become(uid: int, *, no_new_privileges: bool) -> None:
    """The user of an arrangement, as if the process had been started by him."""
    if uid and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after a start: the change of user took it
    if no_new_privileges:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if __name__ == "__main__":
    _uid, _closed = int(sys.argv.pop(1)), sys.argv.pop(1) == "1"
    if _uid:
        warm_up(extract)
    become(_uid, no_new_privileges=_closed)
    vars(zygote)["extract"] = hostile
    zygote.main()
