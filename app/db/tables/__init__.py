"""The tables, as SQLAlchemy declares them."""

from app.db.tables import (
    access,
    audit,
    conversations,
    deliveries,
    evidence,
    feedback,
    forgetting,
    history,
    leak_tests,
    library,
    library_names,
    people,
    pseudonyms,
    retention,
    reviews,
    sign_in,
)
from app.db.tables.base import Base

__all__ = [
    "Base",
    "access",
    "audit",
    "conversations",
    "deliveries",
    "evidence",
    "feedback",
    "forgetting",
    "history",
    "leak_tests",
    "library",
    "library_names",
    "people",
    "pseudonyms",
    "retention",
    "reviews",
    "sign_in",
]
