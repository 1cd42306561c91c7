"""Every error a caller can meet. The class name is the wire code; `app.web.http.problems` turns one into problem+json.

AppError
├── BadRequest            400  the request makes no sense as it stands
├── NotSignedIn           401  nothing to sign in with, or what is wrong, over or revoked (all the same to the caller)
├── NotAllowed            403  the thing is visible to you, the act is not yours
│   ├── MissingCapability      the key or person lacks ask, download, curate, administer or audit
│   ├── SelfGrant              the change would give its own author something to read
│   ├── BeyondReach            the collection or role is not among those the author looks after
│   ├── OnBehalfOfNeeded       a service's key alone: it acts for a person or not at all
│   ├── InPersonNeeded         a service asks for what a person does with their own key alone
│   ├── CrossSiteRequest       a change in a browser's session that this site's own page did not send
│   ├── SignInNotAllowed       who signs in is nobody who may come in, or the sign-in is over
│   ├── LabelTooHigh           the context carries a label above what the model endpoint may see
│   └── AnswerWithheld         the answer holds a value that the company's policy gives out to nobody like the caller
├── NotFound              404  absent, or not visible to you: the same bytes either way
│   └── NotOfSource            a provisioning service would change what is not of its source, whether or not it is there
├── Conflict              409  the name is taken, or the thing is in use
│   └── PlanStale              the world moved since the plan was made
├── TooLarge              413  the body is above the limit
├── InvalidInput          422  well-formed, but a value is wrong
│   ├── UnknownRole            a role tag that names no role
│   ├── Untagged               a document without any role tag: refused, never "everybody"
│   ├── EmptyFile              nothing to index
│   ├── ForeignMember          a group would get a member that is not of its source, whether or not it is there
│   └── UnreadableSearch       a search text that asks for nothing, or for too much
├── TooManyRequests       429  above the rate or the number of requests at once of this key
├── GuardrailFailed       500  a text could not be checked, and so nothing more of it is given out
├── ModelUnavailable      503  the language model does not answer
├── SignInUnavailable     503  the identity provider does not answer
└── DatabaseUnavailable   503  PostgreSQL does not answer
"""

from collections.abc import Mapping, Sequence


class AppError(Exception):
    """Base of all errors meant for a caller. `detail` says what to do; it never holds document text or secrets."""

    status = 500
    title = "Something went wrong"

    def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.headers = dict(headers or {})

    @property
    def code(self) -> str:
        return type(self).__name__


class BadRequest(AppError):
    status, title = 400, "The request cannot be understood"


class NotSignedIn(AppError):
    status, title = 401, "Not signed in"

    def __init__(self) -> None:
        super().__init__(
            "Send a key that is neither expired nor revoked as 'Authorization: Bearer <key>', or sign in at /sign-in.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class NotAllowed(AppError):
    status, title = 403, "Not allowed"


class MissingCapability(NotAllowed):
    title = "A capability is missing"


class SelfGrant(NotAllowed):
    title = "You cannot grant access to yourself"


class OnBehalfOfNeeded(NotAllowed):
    title = "A service acts for a person or not at all"

    def __init__(self) -> None:
        super().__init__(
            "This is a service's key; send the token of the person it acts for as 'Clearance-On-Behalf-Of'."
        )


class InPersonNeeded(NotAllowed):
    title = "Not through a service"

    def __init__(self) -> None:
        super().__init__("A service cannot do this for you; use your own key.")


class CrossSiteRequest(NotAllowed):
    title = "Sent from another site"

    def __init__(self) -> None:
        super().__init__("In a browser's session a change needs this site's own page and the header 'X-CSRF-Token'.")


class SignInNotAllowed(NotAllowed):
    title = "You cannot sign in here"


class BeyondReach(NotAllowed):
    title = "Beyond your reach"


class LabelTooHigh(NotAllowed):
    title = "The model endpoint may not see this label"


class AnswerWithheld(NotAllowed):
    title = "The answer may not be given out"

    def __init__(self, kind: str = "") -> None:
        """The kind of the value, never the value."""
        super().__init__(
            f"The answer holds a value ({kind}) that the company's policy does not let out, so it ends here. Ask for"
            " something else, or ask an administrator about the policy."
        )
        self.kind = kind


class NotFound(AppError):
    status, title = 404, "Not found"

    NOTHING = "There is nothing here that you may see."

    def __init__(self, detail: str = NOTHING) -> None:
        """`detail` names what is missing, for a caller who may know whether it is there; others get the default."""
        super().__init__(detail)


class NotOfSource(NotFound):
    """Refused and recorded like what is beyond one's reach, in the words for what is not there."""


class Conflict(AppError):
    status, title = 409, "Conflict"


class PlanStale(Conflict):
    title = "The world moved since the plan was made"


class TooLarge(AppError):
    status, title = 413, "The body is too large"


class InvalidInput(AppError):
    status, title = 422, "A value is wrong"


class UnknownRole(InvalidInput):
    title = "A role tag names no role"


class Untagged(InvalidInput):
    title = "The document has no role tag"


class EmptyFile(InvalidInput):
    title = "The file is empty"


class ForeignMember(InvalidInput):
    title = "A member is not of the source"

    def __init__(self) -> None:
        super().__init__("A member is no person or group of this source.")


class UnreadableSearch(InvalidInput):
    title = "The search text cannot be searched for"


class TooManyRequests(AppError):
    status, title = 429, "Too many requests"


class GuardrailFailed(AppError):
    status, title = 500, "The guardrail failed"

    def __init__(self, stage: str = "", cause: str = "", where: Sequence[str] = ()) -> None:
        """The stage and the type of what was raised there, and its places in the code. Never its message: that may hold
        the text.
        """
        super().__init__("A text could not be checked, so no more of it is shown. It is our fault and has been logged.")
        self.stage, self.cause, self.where = stage, cause, tuple(where)
        self.reported = False  # in the log and the metrics

    @property
    def reason(self) -> str:
        """What the log of the audit says of it: "GuardrailFailed:redaction:ZeroDivisionError"."""
        return ":".join((self.code, self.stage, self.cause))


class ModelUnavailable(AppError):
    status, title = 503, "The language model does not answer"


class SignInUnavailable(AppError):
    status, title = 503, "The identity provider does not answer"


class DatabaseUnavailable(AppError):
    status, title = 503, "The database does not answer"
