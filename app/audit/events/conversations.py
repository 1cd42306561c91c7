"""Records of what people do with their own conversations: ids only."""

import uuid
from dataclasses import dataclass

from app.audit.events.base import Event


@dataclass(frozen=True, kw_only=True)
class ConversationRead(Event):
    """Somebody read a conversation back: the turns whose answers were given out, and those that were withheld."""

    kind = "conversation.read"
    conversation: uuid.UUID
    shown: tuple[uuid.UUID, ...]
    withheld: tuple[uuid.UUID, ...]
    policy_epoch: int


@dataclass(frozen=True, kw_only=True)
class ConversationDeleted(Event):
    """Somebody deleted a conversation. The trails of its answers stay in the log."""

    kind = "conversation.deleted"
    conversation: uuid.UUID
