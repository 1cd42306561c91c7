"""What the doctor says about the confinement of parsers and about where text may go."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.admin.health.check_result import CheckResult
from app.admin.health.model import check_model_route
from app.cli.doctor import parsers
from app.cli.doctor.installation import Installation
from app.settings import AuditSettings, DatabaseSettings, IdentitySettings, ModelSettings, Settings


def found(check: Any) -> list[CheckResult]:
    settings = Settings(
        database=DatabaseSettings(),
        identity=IdentitySettings(key=SecretStr("00")),
        audit=AuditSettings(key=SecretStr("00")),
    )
    setup = Installation(settings=settings, urls={}, api_url="", home=Path(), instance=None, embedded=True)
    return list(check(setup))


def test_the_level_here_is_measured_by_confining_a_process() -> None:
    (finding,) = found(parsers.check_parsers)
    assert finding.state in {"ok", "warn"}
    assert "system calls by allow-list, Landlock ABI " in finding.says


@pytest.mark.parametrize(
    ("layers", "state", "says"),
    [
        ({"filter": True, "landlock": 7, "level": "full"}, "ok", "full confinement"),
        ({"filter": True, "landlock": 2, "level": "reduced"}, "warn", "Landlock ABI 2"),
        ({"filter": True, "landlock": 0, "level": "missing"}, "fail", "no Landlock (why)"),
        ({"filter": False, "landlock": 7, "level": "missing"}, "fail", "system calls not filtered"),
    ],
)
def test_each_level_has_its_state(
    layers: dict[str, Any], state: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.dumps({**layers, "reason": "why"})
    monkeypatch.setattr(subprocess, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 0, said, ""))
    (finding,) = found(parsers.check_parsers)
    assert (finding.state, says in finding.says, bool(finding.mend)) == (state, True, state != "ok")


def test_a_setting_that_is_not_needed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(parsers.ALLOW, "true")
    (finding,) = found(parsers.check_parsers)
    assert (finding.state, parsers.ALLOW in finding.mend) == ("warn", True)


@pytest.mark.parametrize(
    ("model", "state", "says"),
    [
        ({}, "ok", "text up to 'restricted' goes to 127.0.0.1:8737, this machine"),
        ({"base_url": "https://api.example.com/v1"}, "ok", "text up to 'public' goes to api.example.com, which is not"),
        (
            {"base_url": "http://m.internal/v1", "internal": True},
            "ok",
            "declared internal by CLEARANCE_MODEL__INTERNAL",
        ),
        (
            {"base_url": "http://m/v1", "internal_hosts": "m"},
            "ok",
            "declared internal by CLEARANCE_MODEL__INTERNAL_HOSTS",
        ),
        ({"base_url": "https://api.example.com/v1", "internal": True}, "fail", "on the public internet"),
        (
            {"base_url": "https://8.8.8.8/v1", "max_label": "internal", "allow_restricted_text_on_public_host": True},
            "warn",
            "text up to 'internal' goes to 8.8.8.8, on the public internet; confirmed by",
        ),
    ],
)
def test_where_text_may_go_is_shown(model: dict[str, Any], state: str, says: str) -> None:
    (finding,) = check_model_route(ModelSettings(**model))
    assert (finding.state, says in finding.says) == (state, True), finding
