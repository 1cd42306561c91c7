"""What the API processes of one service share, made before they part. One process alone has the same, for itself."""

from pathlib import Path

from app.web.http.accepting import Loads
from app.web.http.anonymous_limits import MAX_ADDRESSES
from app.web.http.limits import MAX_KEYS
from app.web.http.peers import Peers
from app.web.http.relay import SharedPlaces
from app.web.http.shared_table import WAYS, Processes, SharedTable

# Uploads, and answers that are being made or were until a minute ago, with their askers and conversations.
MAX_IN_PROGRESS = 8_192


class Shared:
    """The tables, and how processes reach one another: `peers`, in this folder, if there are several."""

    def __init__(self, count: int = 1, folder: Path | None = None) -> None:
        self.processes = Processes(count)
        self.loads = Loads(self.processes)
        self.keys = SharedTable(self.processes, sets=MAX_KEYS // WAYS)
        self.strangers = SharedTable(self.processes, sets=MAX_ADDRESSES // WAYS)
        self.in_progress = SharedTable(self.processes, sets=MAX_IN_PROGRESS // WAYS)
        self.places = SharedPlaces(self.in_progress)
        self.peers = Peers(self.processes, folder) if folder is not None else None

    def forget_process(self, number: int) -> None:
        """This process is dead: what it held is free."""
        self.loads.forget_process(number)
        for table in (self.keys, self.strangers, self.in_progress):
            table.forget_process(number)
