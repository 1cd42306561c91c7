"""What documents and collections were called, from when on: written by triggers of the database, read beside the log.

Under row-level security as what they are of is now, with which they go. One module may import it.
"""

import datetime as dt
import uuid

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base


class Called:
    """From when on something was called so, until the next row of it. It goes with what it is of."""

    valid_from: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)


class PathHistory(Called, Base):
    """At which path a document lay."""

    __tablename__ = "path_history"
    __table_args__ = (Index("path_history_document_id_idx", "document", "id"),)

    document: Mapped[uuid.UUID] = mapped_column(ForeignKey("document.public_id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text(collation="C"))


class TitleHistory(Called, Base):
    """What a document was called: text, so only for its readers."""

    __tablename__ = "title_history"
    __table_args__ = (Index("title_history_document_id_idx", "document", "id"),)

    document: Mapped[uuid.UUID] = mapped_column(ForeignKey("document.public_id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)


class CollectionNameHistory(Called, Base):
    """What a collection was called."""

    __tablename__ = "collection_name_history"

    collection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
