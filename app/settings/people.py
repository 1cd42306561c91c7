"""Who people are, how they sign in, and the keys of what is kept of them."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from app.settings.section import Section, require_safe_url


class IdentitySettings(Section):
    """The signed identity that row-level security demands on each transaction."""

    key: SecretStr = Field(description="HMAC key, 32 bytes in hex; the database holds the same one")
    seconds: int = Field(60, ge=1, description="how long one signature holds; one is made for each transaction")


class AuditSettings(Section):
    """The audit log."""

    key: SecretStr = Field(description="wraps the per-person keys, 32 bytes in hex")
    opening_needs_second: bool = Field(
        False, description="true: sealed words are opened only when somebody else with `open` approves of the reason"
    )
    opening_hours: float = Field(
        24.0, gt=0, le=720, description="how long words can be read for one reason, from when it was given or approved"
    )
    tell_askers: bool = Field(
        True, description="true: a person sees when, by whom and for what reason words of theirs were opened"
    )
    keep_answers: Literal["never", "public", "internal", "confidential", "restricted"] = Field(
        "never",
        description="keep the released answer and its excerpts, sealed, where nothing in its context has a higher"
        " label; never: commitments alone",
    )
    keep_answers_of: str = Field(
        "", description="... and all of its context is from these collections, by name, with commas; empty: from any"
    )
    close_after_seconds: int = Field(600, ge=1, description="a trail still open after this is closed as abandoned")
    signing_key: SecretStr | None = Field(
        None, description="sequencer: signs the log's heads, as `clearance audit keygen` makes it; unset: nobody signs"
    )
    previous_signing_key: SecretStr | None = Field(
        None,
        description="sequencer: the key before, while it is being replaced, so that who trusts it trusts the new one",
    )
    checkpoint_entries: int = Field(1_000, ge=1, description="sequencer: sign a head after so many records")
    checkpoint_seconds: int = Field(60, ge=1, description="sequencer: or after so long, where any came")
    checkpoint_folder: str = Field(
        "",
        description="sequencer: also write each signed head as a file of its own into this folder, and never over one",
    )
    witnesses: str = Field(
        "",
        description="sequencer: witnesses that sign checkpoints too, each as its URL, a space and its key, with commas"
        " between (`clearance witness`)",
    )
    timestamps: str = Field(
        "",
        description="sequencer: time stamping authorities (RFC 3161) that stamp checkpoints, each as its URL, a space"
        " and the PEM file of the root certificates by which its answers are checked, with commas between",
    )
    deliveries: str = Field(
        "",
        description="delivery: where the log goes, each target as name, kind (folder, s3, syslog, http), place, form"
        " (jsonl, ocsf, cef) and options, with commas or new lines between (docs/audit.md#delivering-it-elsewhere)",
    )
    delivery_lag_seconds: int = Field(
        900, ge=1, description="API and doctor: a target whose oldest undelivered record is older than this is an alarm"
    )


class ProviderSettings(Section):
    """One identity provider (OpenID Connect). Its name is the source of the people and roles that it vouches for."""

    issuer: str = Field(description="the provider's issuer, exactly as its tokens say it; discovery starts there")
    client_id: str = Field(description="what the provider knows Clearance by")
    client_secret: SecretStr | None = Field(None, description="unset: a public client, which PKCE alone protects")
    label: str = Field("", max_length=60, description="what the sign-in page calls it; empty: the source's name")
    scopes: str = Field("openid profile", pattern=r"(^|.* )openid( .*|$)", description="what is asked for at sign-in")
    subject_claim: Literal["sub", "oid"] = Field(
        "sub", description="the claim that names a person for ever; `oid` for Entra ID, with `tenant`"
    )
    tenant_claim: Literal["tid", "hd"] = Field(
        "tid", description="the claim that names the company at the provider: `tid` of Entra ID, `hd` of Google"
    )
    tenant: str = Field(
        "", description="what that claim must be; empty: not looked at, for providers that have your people alone"
    )
    name_claim: str = Field("preferred_username", description="the claim from which a new person's name is made")
    groups_claim: str = Field("", description="the claim that lists groups; empty: sign-ins change no role")
    groups_hours: float = Field(24.0, gt=0, le=720, description="how long roles of a claim hold without a new sign-in")
    create_people: bool = Field(
        False, description="true: a first sign-in makes the person; false: only people who were provisioned come in"
    )
    audience: str = Field(
        "", description="the `aud` of access tokens that are taken as a key; empty: none are; never the client_id"
    )
    access_token_type: Literal["at+jwt", "jwt"] = Field(
        "at+jwt", description="`typ` of access tokens: `jwt` for Entra ID and Keycloak, which do not follow RFC 9068"
    )
    clients: str = Field(
        "", description="clients whose access tokens are taken (azp or client_id), commas between; empty: any"
    )
    algorithms: str = Field("RS256,ES256,EdDSA,PS256", description="signatures that are taken, with commas between")

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        """Keys that come over plain HTTP could be anybody's, but for those of this machine."""
        return require_safe_url(value, "an issuer")

    @field_validator("algorithms")
    @classmethod
    def _are_asymmetric(cls, value: str) -> str:
        allowed = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
        if not (given := {name.strip() for name in value.split(",")}) <= allowed:
            raise ValueError(f"{', '.join(sorted(given - allowed))}: only signatures with a private key can be taken")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.subject_claim == "oid" and not (self.tenant and self.tenant_claim == "tid"):
            raise ValueError("`oid` is unique within its tenant alone: give `tenant` too")
        if urlsplit(self.issuer).hostname == "accounts.google.com" and not self.tenant:
            raise ValueError("everybody has a Google account: give `tenant_claim` hd, and your domain as `tenant`")
        if self.audience and self.audience == self.client_id:
            raise ValueError("`audience` must not be the client_id: an ID token would pass for an access token")
        return self

    def split(self, name: Literal["clients", "algorithms"]) -> tuple[str, ...]:
        """A list with commas between."""
        return tuple(part.strip() for part in str(getattr(self, name)).split(",") if part.strip())


class SampleSettings(Section):
    """The sample company of `clearance run`, which has no real people in it."""

    people_file: Path | None = Field(
        None,
        description="set by `clearance run` alone: the sample company's people with their keys, as whom a browser of"
        " this machine that is signed in as one of them may go on; unset: nobody goes on as anybody else",
    )


class SignInSettings(Section):
    """Signing in from a browser."""

    public_url: str = Field(
        "", description="address by which people reach this service, without a path; empty: http://localhost and port"
    )
    session_hours: float = Field(12.0, gt=0, le=720, description="longest that a browser stays signed in")
    idle_minutes: float = Field(60.0, ge=2, le=43_200, description="a session that is not used for this long is over")
    link_hours: float = Field(72.0, gt=0, le=720, description="how long a sign-in link is good that nobody has used")
    own_key_days: int = Field(
        90, ge=0, le=3650, description="longest that a key lasts which people make for themselves; 0: they make none"
    )

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(require_safe_url(value, "the public address"))
        if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
            raise ValueError("give the public address without a path, as in https://clearance.example")
        return f"{parts.scheme}://{parts.netloc}".lower()
