"""The tables, as SQLAlchemy declares them."""

from app.db.tables import access, library, people
from app.db.tables.base import Base

__all__ = ["Base", "access", "library", "people"]
