"""A few people with something to do, in the company of `site.py`: what the ten tasks of `tasks.py` start from."""

import time
from dataclasses import dataclass
from pathlib import Path

from app.client.access_file import Tags
from app.client.api import ApiError, Client
from app.client.upload import UploadItem, upload
from benchmarks.console.site import SUBJECTS, ConsoleSite

# Name: capabilities, clearance, roles.
PEOPLE: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "ada": (("ask", "download"), "confidential", ("hr",)),
    "ben": (("ask",), "confidential", ("engineering",)),
    "mia": (("ask", "download"), "confidential", ("managers",)),
    "cleo": (("ask", "curate"), "confidential", ()),
    "audrey": (("audit", "open"), "internal", ()),
}
PHRASE = "within 6 working days"  # of the handbook's page 4, and of hr's terms
NEWER = 6  # conversations of ada's since yesterday's, so that the first page does not list that one any more


@dataclass(frozen=True)
class Office:
    """The service, a folder with a file to upload for each round, and the document that ben asked about."""

    site: ConsoleSite
    files: Path
    asked_about: str

    def link(self, person: str) -> str:
        """A link that signs this person in, at the name that the browser uses."""
        return self.site.link(person).replace("127.0.0.1", "localhost")

    @property
    def url(self) -> str:
        return self.site.url.replace("127.0.0.1", "localhost")


def furnish(site: ConsoleSite, files: Path, rounds: int) -> Office:
    """Give each round something of its own: a folder, a failed file, a leaver, a conversation and a file to upload."""
    with Client(site.url, site.admin_key) as admin:
        for role in ("hr", "engineering", "managers"):
            admin.post("/roles", {"name": role})
        keys = {name: _hire(admin, name) for name in PEOPLE}
        grants = [{"role": "hr"}]
        admin.post("/collections", {"name": "hr", "label": "confidential", "grants": grants})
        admin.put("/collections/hr/curators/cleo")
        for number in range(rounds):
            leaver = f"leaver-{number}"
            admin.post("/users", {"name": leaver, "capabilities": ["ask"]})
            admin.post("/keys", {"user": leaver, "capabilities": ["ask"]})
            site.link(leaver)
    with Client(site.url, keys["cleo"]) as cleo:
        _fill(cleo, files, rounds)
    with Client(site.url, keys["ada"]) as ada:
        for number in range(rounds + NEWER):
            kept = ada.post("/conversations", {})["id"]
            ada.post("/ask", {"question": question(number), "mode": "quote", "conversation": kept})
    with Client(site.url, keys["ben"]) as ben:
        answer = ben.post("/ask", {"question": question(7), "mode": "quote"})
    office = Office(site, files, str(answer["sources"][0]["document"]))
    _await_head(site, keys["audrey"], office.asked_about)
    return office


def question(number: int) -> str:
    """What page `number` of the handbook answers."""
    return f"Within how many working days is a request for {SUBJECTS[number % len(SUBJECTS)]} {number} answered?"


def _hire(admin: Client, name: str) -> str:
    capabilities, clearance, roles = PEOPLE[name]
    admin.post("/users", {"name": name, "capabilities": list(capabilities), "clearance": clearance})
    for role in roles:
        admin.put(f"/roles/{role}/members/{name}")
    return str(admin.post("/keys", {"user": name, "capabilities": list(capabilities)})["secret"])


def _fill(cleo: Client, files: Path, rounds: int) -> None:
    texts = {"terms.md": f"# Questions about pay\n\nA question about pay is answered {PHRASE}."}
    texts |= {
        f"pay-{n}/bands.md": f"# Bands of year {n}\n\nThe band of level five is {n + 80},000." for n in range(rounds)
    }
    texts |= {f"broken-{n}.pdf": "no PDF at all" for n in range(rounds)}
    items = []
    for path, text in texts.items():
        file = files / path.replace("/", "-")
        file.write_text(text, "utf-8")
        items.append(UploadItem(file, "hr", path, Tags((), label="", inherits=True)))
    for number in range(rounds):
        (files / f"note-{number}.md").write_text(
            f"# Note {number}\n\nBonuses of year {number} are paid in March.", "utf-8"
        )
    outcomes = list(upload(cleo, items, on_end=lambda _: None))
    wrong = [each for each in outcomes if (each.state == "failed") != each.item.path.endswith(".pdf")]
    if wrong:
        raise SystemExit(f"{wrong[0].item.path} is {wrong[0].state}: {wrong[0].reason}")


def _await_head(site: ConsoleSite, key: str, document: str) -> None:
    """Until a published head covers the record that the auditor looks for."""
    with Client(site.url, key) as audrey:
        for _ in range(120):
            found = audrey.get("/audit/events", q=f"who:ben document:{document}")["events"]
            try:
                if found and audrey.get("/audit/head")["size"] > found[0]["seq"]:
                    return
            except ApiError:
                pass  # no head at all yet
            time.sleep(0.5)
    raise SystemExit("no head was published that covers the record")
