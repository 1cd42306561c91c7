"""The files of the pages: what they weigh, that what others wrote is what they published, colours that can be read."""

import hashlib
import re

import pytest

from app.web.console.assets import FILES, ICONS, SCRIPT, STATIC, STYLE

# SHA-256 of the files in the package htmx.org 4.0.1 as it was published.
PUBLISHED = {
    "htmx-4.0.1.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "hx-csp-4.0.1.min.js": "a7e1e6711ae6c3e50ad300fba7936cbe8d07599cdae313414a179ddd6b26e143",
}
TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
TEXT = ("ink", "quiet", "accent", "good", "bad", "public", "internal", "confidential", "restricted")
GROUNDS = ("paper", "raised", "sunken")


def test_what_others_wrote_is_what_they_published() -> None:
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in STATIC.glob("vendor/*.js")}
    assert found == PUBLISHED
    assert "Zero-Clause BSD" in (STATIC / "vendor" / "LICENSE-htmx").read_text()


def test_all_files_together_are_small() -> None:
    """The first page may weigh 40 KB with its HTML, which is 12 at most."""
    assert sum(len(file.packed) for file in FILES.values()) < 30_000


def test_a_name_stands_for_its_content() -> None:
    for file in (STYLE, SCRIPT, ICONS):
        assert hashlib.sha256(file.body).hexdigest()[:16] in file.name


def test_nothing_of_ours_makes_html_out_of_text() -> None:
    """Sinks that the browser guards with Trusted Types; what others wrote goes through their own policy."""
    for script in STATIC.glob("*.js"):
        text = script.read_text()
        assert not re.search(r"\.(inner|outer)HTML|insertAdjacent|\.write\(|eval\(|Function\(", text), script


def test_every_icon_that_is_used_is_there() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', ICONS.body.decode()))
    used = set()
    for file in STATIC.parent.rglob("*"):
        if file.suffix in {".html", ".py"}:
            text = file.read_text()
            used |= set(re.findall(r'icon\("([\w-]+)"\)', text)) | set(
                re.findall(r'Place\(".*?", _\(".*?"\), "(\w+)"', text)
            )
    assert used <= drawn


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2: from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_edges_stand_out(theme: int) -> None:
    """Text keeps 7:1 on whatever it stands on, edges and focus 3:1, in both themes."""
    tokens = {name: (light, dark)[theme] for name, light, dark in TOKEN.findall(STYLE.body.decode())}
    worst = min((contrast(tokens[text], tokens[ground]), text, ground) for text in TEXT for ground in GROUNDS)
    assert worst[0] >= 7, worst
    for text, ground in (
        ("on-accent", "accent"),
        ("accent", "accent-soft"),
        ("ink", "accent-soft"),
        ("ink", "mark"),
        ("ink", "bad-soft"),
        ("quiet", "accent-soft"),
    ):
        assert contrast(tokens[text], tokens[ground]) >= 7, (text, ground)
    for edge in ("edge", "accent", "bad"):
        assert min(contrast(tokens[edge], tokens[ground]) for ground in GROUNDS) >= 3, edge
