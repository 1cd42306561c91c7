"""Where somebody may go: only what does something for whoever sees it."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.web.console.viewer import Viewer


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to. `key` is what follows `g` on the keyboard; `icon` its symbol."""

    path: str
    name: str
    icon: str
    key: str = ""
    current: bool = False


@dataclass(frozen=True)
class NavigationSection:
    """Places under one heading; the first section has none."""

    name: str
    places: tuple[Place, ...]


def navigation_of(viewer: Viewer) -> list[NavigationSection]:
    """The sections for this viewer, without those that would be empty."""
    text = viewer.translations.gettext
    found: list[NavigationSection] = []
    for name, places in _sections(viewer):
        shown = tuple(
            Place(p.path, text(p.name), p.icon, p.key, current=_is_current(viewer.path, p.path)) for p in places
        )
        if shown:
            found.append(NavigationSection(text(name) if name else "", shown))
    return found


def _(message: str) -> str:
    """Marks a message for the catalogues; it is translated where it is shown."""
    return message


def _sections(viewer: Viewer) -> Iterator[tuple[str, list[Place]]]:
    ask = [
        Place("/", _("Ask"), "ask", "a"),
        Place("/search", _("Search"), "search", "s"),
        Place("/conversations", _("Conversations"), "talk", "v"),
    ]
    yield "", ask if viewer.may("ask") else []
    yield _("Library"), list(_library(viewer))
    yield _("Company"), list(_company(viewer))
    yield _("Evidence"), list(_evidence(viewer))


def _library(viewer: Viewer) -> Iterator[Place]:
    if viewer.may("ask"):
        yield Place("/documents", _("Documents"), "document", "d")
    yield Place("/collections", _("Collections"), "folder", "c")
    if viewer.may("curate"):
        yield Place("/jobs", _("Jobs"), "upload", "j")
    if viewer.curates or viewer.may("administer"):
        yield Place("/plans", _("Plans"), "plan")
        yield Place("/reach", _("Who reads what"), "people")


def _company(viewer: Viewer) -> Iterator[Place]:
    if viewer.may("administer"):
        yield Place("/people", _("People"), "people", "p")
        yield Place("/roles", _("Roles"), "role", "r")
        yield Place("/sources", _("Sources"), "source")
        yield Place("/keys", _("Keys"), "key")
        yield Place("/sessions", _("Sessions"), "person")
    if viewer.may("administer") or viewer.curates:
        yield Place("/access", _("Who may read"), "search", "w")
        yield Place("/reviews", _("Reviews"), "plan")
    if viewer.may("administer"):
        yield Place("/health", _("Health"), "health", "h")
        yield Place("/leak-tests", _("Leak tests"), "report")


def _evidence(viewer: Viewer) -> Iterator[Place]:
    if viewer.may("audit"):
        yield Place("/log", _("Log"), "log", "l")
        yield Place("/shown", _("Who saw what"), "people", "o")
        yield Place("/exposure", _("Exposure"), "search")
        yield Place("/unusual", _("Unusual days"), "report")
        yield Place("/openings", _("Openings"), "key")
        if viewer.may("export"):
            yield Place("/exports", _("Exports"), "download", "x")
        yield Place("/heads", _("Heads"), "report")
    if viewer.may("audit") or viewer.may("erase"):
        yield Place("/erasures", _("Erasures"), "person")
        yield Place("/retention", _("Retention"), "log")
    if viewer.may("audit") or viewer.may("erase") or viewer.may("hold"):
        yield Place("/holds", _("Legal holds"), "key")


def _is_current(path: str, place: str) -> bool:
    return path == place if place == "/" else path == place or path.startswith(f"{place}/")
