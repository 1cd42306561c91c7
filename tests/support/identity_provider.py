"""A real identity provider (Canaille), in an environment and a process of its own, and a person who signs in there."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
from joserfc.jwk import RSAKey
from lxml import html  # type: ignore[import-untyped]  # ships no types

from app.oidc.provider import Provider
from app.settings import ProviderSettings
from tests.support.environment import REPOSITORY, free_port, real_part_missing
from tests.support.token_issuer import rsa_key
from tests.support.waiting import wait_for

PROGRAM = REPOSITORY / ".venv" / "idp" / "bin" / "canaille"
PYTHON = PROGRAM.with_name("python")
COMMANDS = """
import contextlib, io, json, sys
from canaille.commands import cli
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        cli.main(args=json.loads(line), standalone_mode=False)
    print(json.dumps(said.getvalue()), flush=True)
"""
PASSWORD = "correct-horse-battery-staple"
CLIENT, SECRET, API, CHAT = "clearance", "client-secret", "clearance-api", "open-webui"
PLAIN = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class IdentityProvider:
    """A running Canaille. Its people have `id` as their subject; `keys` sign, the first of them new tokens."""

    folder: Path
    source: str
    callback: str
    port: int = field(default_factory=free_port)
    keys: list[RSAKey] = field(default_factory=lambda: [rsa_key("first")])
    people: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    _signed_in: dict[str, float] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _commands: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def provider(self, **given: Any) -> Provider:
        """What the service knows of it."""
        values = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scopes": "openid profile groups",
            "groups_claim": "groups",
            "create_people": True,
            **given,
        }
        return Provider(self.source, ProviderSettings.model_validate(values))

    def start(self) -> None:
        """Write its configuration, with the keys of now, and start it."""
        self._configure()
        with (self.folder / "canaille.log").open("ab") as out:
            self._process = subprocess.Popen(
                [PROGRAM, "run", "--bind", f"127.0.0.1:{self.port}"], env=self._environ(), stdout=out, stderr=out
            )
        wait_for(self._answers, seconds=60, message=lambda: (self.folder / "canaille.log").read_text()[-2_000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def close(self) -> None:
        """End its processes."""
        self.stop()
        if self._commands is not None:
            assert self._commands.stdin is not None
            self._commands.stdin.close()
            self._commands.wait(20)
            assert self._commands.stdout is not None
            self._commands.stdout.close()

    def set_up(self) -> None:
        """Its database; ourselves as a client, and as a resource for which another client gets access tokens."""
        self._configure()
        self.run("install")
        own = self._client(
            *(CLIENT, "authorization_code", "--redirect-uris", self.callback, "--scope", "openid profile groups"),
            *("--client-uri", self.callback, "--post-logout-redirect-uris", urljoin(self.callback, "/sign-in")),
        )
        resource = self._client(API, "client_credentials")
        chat = self._client(CHAT, "password", "--scope", "openid profile groups")
        self.run("set", "client", own, "--audience", own)
        self.run("set", "client", chat, "--audience", resource)

    def _client(self, name: str, grant: str, *more: str) -> str:
        made = self.run(
            *("create", "client", "--client-id", name, "--client-secret", SECRET, "--client-name", name),
            *("--grant-types", grant, "--response-types", "code", "--id-token-signed-response-alg", "RS256"),
            *("--token-endpoint-auth-method", "client_secret_basic", *more),
        )
        return str(json.loads(made.splitlines()[-1])["id"])

    def access_token(self, name: str) -> str:
        """What a chat client gets for this person, made for us."""
        form = {"grant_type": "password", "username": name, "password": PASSWORD, "scope": "openid profile groups"}
        answer = httpx2.post(f"{self.issuer}/oauth/token", data=form, auth=(CHAT, SECRET), trust_env=False)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def person(self, name: str, *, full_name: str = "") -> None:
        """Somebody who can sign in there."""
        made = self.run(
            *("create", "user", "--user-name", name, "--password", PASSWORD, "--emails", f"{name}@corp.example"),
            *("--family-name", name.title(), "--formatted-name", full_name or name.title()),
        )
        self.people[name] = json.loads(made.splitlines()[-1])["id"]

    def group(self, name: str, *members: str) -> None:
        """A group of these people, who make all of its members."""
        listed = [part for member in members for part in ("--members", self.people[member])]
        if name in self.groups:
            self.run("set", "group", self.groups[name], *listed)
            return
        made = self.run("create", "group", "--display-name", name, *listed)
        self.groups[name] = json.loads(made.splitlines()[-1])["id"]

    def delete_group(self, name: str) -> None:
        self.run("delete", "group", "--id", self.groups.pop(name), "--noconfirm")

    def rotate(self) -> None:
        """New tokens are signed by a new key; the old one is published no more."""
        self.stop()
        self.keys = [rsa_key(f"key-{len(self.keys)}-{self.port}")]
        self.start()

    def run(self, *arguments: str) -> str:
        """One of its commands; what it prints. All run in one process, since to load the program takes seconds."""
        if self._commands is None:
            with (self.folder / "commands.log").open("ab") as log:
                self._commands = subprocess.Popen(
                    [PYTHON, "-c", COMMANDS],
                    env=self._environ(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        assert self._commands.stdin is not None
        assert self._commands.stdout is not None
        self._commands.stdin.write(json.dumps(arguments) + "\n")
        self._commands.stdin.flush()
        line = self._commands.stdout.readline()
        assert line, f"{arguments}: {(self.folder / 'commands.log').read_text()[-2_000:]}"
        return str(json.loads(line)).strip()

    def sign_in(self, location: str, name: str, http: httpx2.Client | None = None) -> dict[str, str]:
        """What the browser brings back to us after this person has filled in the forms at `location`."""
        # Two tokens of one person in one second are the same, which the provider's table does not take.
        time.sleep(max(0.0, self._signed_in.get(name, 0.0) + 2.5 - time.time()))
        with contextlib.ExitStack() as stack:
            browser = http or stack.enter_context(httpx2.Client(trust_env=False, timeout=30))
            answer = browser.get(location)
            for _ in range(12):
                if answer.is_redirect:
                    to = urljoin(str(answer.url), answer.headers["location"])
                    if to.startswith(self.callback):
                        self._signed_in[name] = time.time()
                        return dict(parse_qsl(urlsplit(to).query))
                    answer = browser.get(to)
                else:
                    answer = self._fill_in(browser, answer, name)
        raise AssertionError(f"no way back from {answer.url}: {answer.text[:2_000]}")

    def _fill_in(self, browser: httpx2.Client, answer: httpx2.Response, name: str) -> httpx2.Response:
        """Send the form of a page as a person would."""
        forms = html.fromstring(answer.text).forms
        form = next((f for f in forms if {"login", "password", "answer"} & set(f.fields)), None)
        buttons = [b for f in forms for b in f.xpath(".//button[@name='answer']")]
        assert form is not None or buttons, f"{answer.status_code} {answer.url}: {answer.text[:3_000]}"
        form = form if form is not None else buttons[0].xpath("ancestor::form")[0]
        values = {key: value for key, value in form.fields.items() if value is not None}
        values |= {key: value for key, value in (("login", name), ("password", PASSWORD)) if key in form.fields}
        if agree := [b for b in buttons if b.get("value") == "accept"]:
            values["answer"] = agree[0].get("value")
        return browser.post(urljoin(str(answer.url), form.action or ""), data=values)

    def _answers(self) -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            url = f"{self.issuer}/.well-known/openid-configuration"
            return httpx2.get(url, trust_env=False, timeout=2).status_code == 200
        return False

    def _configure(self) -> None:
        keys = [
            ", ".join(f"{name} = {json.dumps(value)}" for name, value in key.as_dict(private=True).items())
            for key in self.keys
        ]
        (self.folder / "canaille.toml").write_text(
            f'SECRET_KEY = "only-for-tests-{self.port}"\n'
            f'SERVER_NAME = "127.0.0.1:{self.port}"\nPREFERRED_URL_SCHEME = "http"\nDATABASE = "sql"\n'
            "[CANAILLE]\n"
            f'[CANAILLE_SQL]\nDATABASE_URI = "sqlite:///{self.folder}/canaille.sqlite?timeout=30"\n'
            f"[CANAILLE_OIDC]\nACTIVE_JWKS = [{', '.join('{ ' + key + ' }' for key in keys)}]\n"
            '[CANAILLE_OIDC.USERINFO_MAPPING]\nSUB = "{{ user.id }}"\n'
        )

    def _environ(self) -> dict[str, str]:
        plain = {name: os.environ[name] for name in PLAIN if name in os.environ}
        return plain | {"CANAILLE_CONFIG": str(self.folder / "canaille.toml")}


@contextlib.contextmanager
def identity_provider(
    folder: Path, source: str, public_url: str = "http://localhost:8700"
) -> Iterator[IdentityProvider]:
    """A provider that sends people back to `public_url`, as the provider of this source."""
    if not PROGRAM.exists():
        real_part_missing("the identity provider of the tests is not installed (make .venv/.idp)")
    folder.mkdir(parents=True, exist_ok=True)
    made = IdentityProvider(folder, source, f"http://localhost:8700/sign-in/{source}/callback")
    try:
        made.set_up()
        made.start()
        yield made
    finally:
        made.close()
