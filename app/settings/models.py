"""The models: the one that answers, and those that embed, rank and check."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from app.settings.section import LabelName, Section


class ModelSettings(Section):
    """The language model: any OpenAI-compatible endpoint."""

    base_url: str = Field("http://127.0.0.1:8737/v1", description="the endpoint's base URL, with its /v1")
    api_key: SecretStr = Field(SecretStr("none"), description="sent as a bearer token")
    name: str = Field("SmolLM2-135M-Instruct", description="model name sent in each request")
    internal: bool | None = Field(
        None,
        description="true: text may go there up to max_label; unset or empty: loopback and internal_hosts are internal",
    )
    internal_hosts: str = Field(
        "", description="hosts that are internal while internal is unset: exact names as in base_url, commas between"
    )
    allow_restricted_text_on_public_host: bool = Field(
        False,
        description="true confirms that text above 'public' may go to a host that is on the public internet by its name"
        " or address; otherwise such settings keep the service from starting",
    )
    max_label: LabelName | None = Field(
        None, description="highest label it may see; unset: restricted if internal, else public"
    )
    context_tokens: int = Field(
        1_600, ge=100, description="most passage tokens it is shown, within answer.context_tokens"
    )
    max_tokens: int = Field(400, ge=1, description="longest answer in tokens")
    context_length: int | None = Field(
        None, ge=1, description="tokens that it holds for a question and its answer; unset: the endpoint is asked"
    )
    prompt: Literal["large", "small"] = Field(
        "large", description="how it is told what to do: `small` for models of less than about a billion weights"
    )
    frequency_penalty: float = Field(0.0, ge=0, le=2, description="sent if not 0: keeps small models out of circles")
    lock: Path | None = Field(
        None,
        description="file that a server started on demand keeps locked while it runs: without the lock a check of the"
        " service says that it has not started, and does not start it",
    )
    connect_seconds: float = Field(3.0, gt=0, description="limit for the connection")
    first_token_seconds: float = Field(60.0, gt=0, description="limit between two pieces of the stream")

    @field_validator("internal", "context_length", "lock", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        """A compose file can pass a variable on only as an empty one."""
        return None if value == "" else value

    def hosts(self) -> frozenset[str]:
        """The names in `internal_hosts`, in lower case."""
        return frozenset(name.strip().lower() for name in self.internal_hosts.split(",") if name.strip())


class EmbedderSettings(Section):
    """What turns text into vectors."""

    kind: Literal["onnx", "onnx-int8", "sentence-transformers", "hashed"] = Field(
        "onnx",
        description="`onnx-int8` halves the CPU for passages and finds as well; it refuses a little less often;"
        " `hashed` is for tests: it knows no meaning",
    )
    name: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2", description="model name or folder (sentence-transformers only)"
    )
    threads: int = Field(2, ge=1, description="threads per process")
    cache: Path = Field(
        Path(".clearance/models"), description="where sentence-transformers models lie; the default needs none"
    )
    languages: str = Field(
        "en",
        pattern=r"^\s*(every|[a-z]{2}(\s*,\s*[a-z]{2})*)\s*$",
        description="languages that the model knows, as codes with commas between, or `every`; for questions in others"
        " words weigh more (sentence-transformers only)",
    )


class RerankerSettings(Section):
    """A cross-encoder that orders the best of each search anew; none by default."""

    name: str = Field(
        "",
        description="cross-encoder: a folder, or its name in embedder.cache; needs the sentence-transformers extra;"
        " empty: none",
    )
    candidates: int = Field(20, ge=2, le=50, description="best passages of a search that it looks at, one by one")


class EntailmentSettings(Section):
    """A model that judges, behind the rules of grounding, whether passages entail a sentence; none by default."""

    name: str = Field(
        "",
        description="cross-encoder with an output named entailment: a folder, or its name in embedder.cache; needs the"
        " sentence-transformers extra; empty: none",
    )
    sentences: int = Field(12, ge=1, le=100, description="most sentences of an answer that it judges")
    seconds: float = Field(
        1.0,
        gt=0,
        le=10,
        description="longest for a sentence; after one that takes longer, rules judge the answer alone",
    )
