"""The tables, as SQLAlchemy declares them."""

from app.db.tables import access, audit, library, people
from app.db.tables.base import Base

__all__ = ["Base", "access", "audit", "library", "people"]
