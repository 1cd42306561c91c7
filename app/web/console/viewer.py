"""Who looks at a page, how they like it, and where they may go from it."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from fastapi import Depends, Request

from app.identity.subject import Capability, Subject
from app.sign_in.sample import SamplePersonView, sample_people
from app.web.console.translations import LANGUAGES, Translations, negotiate
from app.web.http.client_address import address_of
from app.web.http.credentials import csrf_token
from app.web.http.dependencies import Caller, cookies_of

PREFERENCES_COOKIE = "clearance-preferences"
Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)


@dataclass(frozen=True)
class Preferences:
    """What a browser keeps of how its user likes the pages; nothing of it is secret. `language` None: as it asks."""

    language: str | None = None
    theme: Theme = "system"
    shortcuts: bool = True

    @classmethod
    def parse(cls, text: str | None) -> "Preferences":
        """Those in a cookie; what it does not say, or says wrongly, is as usual."""
        given = dict(re.findall(r"(\w+):(\w+)", text or ""))
        theme: Theme = next((theme for theme in THEMES if theme == given.get("theme")), "system")
        language = given.get("language")
        return cls(language if language in LANGUAGES else None, theme, given.get("shortcuts") != "off")

    def __str__(self) -> str:
        language = f"language:{self.language}." if self.language else ""
        return f"{language}theme:{self.theme}.shortcuts:{'on' if self.shortcuts else 'off'}"


@dataclass(frozen=True)
class Viewer:
    """The person for whom a page is made. `csrf` is empty without a session, whose forms then change nothing.

    `part`: a script asks for a part of the page alone. `path`: where they are. `sample`: as whom of the sample company
    they may go on.
    """

    subject: Subject
    csrf: str
    preferences: Preferences
    translations: Translations
    path: str
    part: bool
    sample: tuple[SamplePersonView, ...] = ()

    def may(self, capability: str) -> bool:
        """Whether they have a capability, by its name."""
        return Capability(capability) in self.subject.capabilities

    @property
    def curates(self) -> bool:
        return self.may("curate") and bool(self.subject.curates)


@dataclass(frozen=True)
class Reader:
    """How somebody reads pages, known or not: their language and theme."""

    preferences: Preferences
    translations: Translations


def reader_of(request: Request) -> Reader:
    """The language and the theme of this browser."""
    preferences = Preferences.parse(cookies_of(request).read(request.scope, PREFERENCES_COOKIE))
    language = preferences.language or negotiate(request.headers.get("accept-language", ""))
    return Reader(preferences, LANGUAGES[language])


def viewer_of(request: Request, subject: Subject) -> Viewer:
    """The viewer behind a request of this subject."""
    reader, cookies = reader_of(request), cookies_of(request)
    secret = cookies.read(request.scope, cookies.session) if subject.means == "session" else None
    return Viewer(
        subject=subject,
        csrf="" if secret is None else csrf_token(secret),
        preferences=reader.preferences,
        translations=reader.translations,
        path=request.url.path,
        part=is_part(request),
        sample=sample_people(request.app.state.parts, subject, address_of(request.scope)),
    )


def is_part(request: Request) -> bool:
    """Whether a script of ours asks for a part of a page. A page that is gone back to is asked for whole."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-history-restore-request") != "true"


def viewer(request: Request, subject: Caller) -> Viewer:
    """A dependency: the caller in person, as somebody who looks at a page."""
    return viewer_of(request, subject)


ViewerOf = Annotated[Viewer, Depends(viewer)]
