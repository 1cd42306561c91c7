"""What the service allows and how far it goes: requests, search, answers, changes of access."""

import ipaddress
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from app.settings.section import Section


class ApiSettings(Section):
    """The HTTP service."""

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless you say otherwise")
    port: int = Field(8700, description="port to listen on")
    processes: int = Field(
        1,
        ge=1,
        le=16,
        description="processes that answer on this port, one for each core that answering may take; limits by key and"
        " by address count for all together, connections for each; each has its own pool of database connections",
    )
    max_body_mb: int = Field(50, ge=1, description="largest upload; every other request may have 64 KB")
    max_uploads: int = Field(
        4, ge=1, description="uploads in progress at the same time, of everybody; each may fill max_body_mb of /tmp"
    )
    request_seconds: float = Field(60.0, gt=0, description="limit for a request that does not stream")
    rate_per_minute: int = Field(120, ge=1, description="requests a minute for one key")
    bulk_rate_per_minute: int = Field(3000, ge=1, description="uploads, and looks at their jobs, a minute for one key")
    page_rate_per_minute: int = Field(
        600, ge=1, description="pages of the console a minute for one session, with what is found while somebody types"
    )
    burst: int = Field(60, ge=1, description="requests one key may send at once before the rate counts")
    concurrent: int = Field(8, ge=1, description="requests of one key in progress at the same time")
    stranger_rate_per_minute: int = Field(
        60, ge=1, description="requests a minute without a valid key, wrong keys among them, from one address"
    )
    stranger_burst: int = Field(40, ge=1, description="such requests from one address at once before the rate counts")
    header_seconds: float = Field(10.0, gt=0, description="limit for the head of a request to arrive")
    max_connections: int = Field(1_000, ge=1, description="connections of one API process at the same time")
    max_connections_per_address: int = Field(
        200,
        ge=1,
        description="of one address to one API process, but for trusted proxies; the longest idle one gives way to a"
        " new one",
    )
    trusted_proxies: str = Field(
        "",
        description="networks of your own proxies, with commas between, such as 10.0.0.0/8; their proxy_header alone is"
        " believed; empty: no such header is read",
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        "x-forwarded-for", description="the header in which trusted proxies name the client"
    )
    delegation_seconds: int = Field(86_400, ge=1, description="longest that a person may let a service act for them")
    metrics_key: SecretStr | None = Field(None, description="bearer token for /metrics; unset: /metrics is off")
    log_json: bool = Field(True, description="JSON log lines; false for a person at a terminal")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            ipaddress.ip_network(part)
        return value


class SearchSettings(Section):
    """How far search looks."""

    depth: int = Field(
        200,
        ge=60,
        le=5_000,
        description="nearest passages by code that are compared exactly, among up to 100,000 that the asker sees; among"
        " more, more of them; `clearance codebook check` says what a corpus needs",
    )


class AnswerSettings(Section):
    """How an answer is made."""

    mode: Literal["generate", "quote"] = Field("generate", description="used when a request names no mode")
    passages: int = Field(8, ge=1, le=50, description="most passages in a context")
    context_tokens: int = Field(1_600, ge=100, description="token budget of the passages in a context")
    history_tokens: int = Field(
        400, ge=0, description="token budget of a conversation's earlier turns in a prompt; 0: the model sees none"
    )
    max_seconds: float = Field(300.0, gt=0, description="longest streamed answer")
    guardrail_seconds: float = Field(
        30.0, gt=0, description="most time that the guardrail may take for one answer; then it ends with an error"
    )
    grounding: Literal["drop", "strict", "quote", "mark"] = Field(
        "drop",
        description="what becomes of a model's sentences: drop: those that change or contradict what the passages say"
        " are left out, those not found there are marked; strict: both are left out; quote: one such sentence, and"
        " quotes come instead of the whole answer; mark: nothing is left out",
    )


class AccessSettings(Section):
    """How changes of access are made."""

    second_administrator: bool = Field(
        True,
        description="a plan that gives its author something to read: another one may apply it; false: it is refused",
    )


class GuardrailSettings(Section):
    """What the guardrail hides beyond what it always does."""

    policy_file: Path | None = Field(
        None,
        description="a policy.yaml: what callers are shown of what the guardrail finds (docs/policy.md); read again"
        " when it changes; where it is not valid the service does not start",
    )
    policy_seconds: float = Field(10.0, gt=0, description="seconds after which that file is looked at again")
    names: Literal["off", "model"] = Field(
        "off",
        description="names of people that a language model finds are hidden too; needs `pip install clearance[names]`"
        " and a model of spaCy",
    )
    names_model: str = Field(
        "en_core_web_sm",
        description="what finds names: a model of spaCy by its name, or a folder of `clearance guard train-names`",
    )
    names_file: Path | None = Field(
        None,
        description="names to hide: a CSV file with the column `name` and, if wanted, `also` (other names of the"
        " person, with semicolons between); read again when it changes; without it readable the service does not start",
    )
    names_of_people: bool = Field(False, description="the full names of the people of this instance are hidden too")
    names_seconds: float = Field(
        60.0, gt=0, description="seconds after which the file and the people are looked at again"
    )
    pseudonym_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="hours for which what a pseudonym of an answer stands for is kept, sealed, and can be revealed",
    )


class RefusalsSettings(Section):
    """Questions that are not answered."""

    file: Path | None = Field(
        None,
        description="categories of questions that are refused, sent elsewhere or flagged, and models that are asked"
        " about questions: a YAML file (docs/refusals.md); read again when it changes, the old one is kept"
        " where the new one cannot be used; without it usable the service does not start",
    )
    seconds: float = Field(60.0, gt=0, description="seconds after which the file is looked at again")

    @field_validator("file", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        """A compose file can pass a variable on only as an empty one."""
        return None if value == "" else value
