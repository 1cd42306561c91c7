"""Identities as the API signs them, for tests that speak SQL themselves: each good for one transaction."""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable
from typing import TypeAlias

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.db.session import TRANSACTION, Signer, transaction_of
from tests.support.cluster import IDENTITY_KEY

# How an identity is made for a transaction, given what this says of itself.
Made: TypeAlias = Callable[[str], str]
SIGN = "select set_config('clearance.identity', :identity, true)"


def signed_for(session: Session | Connection, user: uuid.UUID, *, seconds: int = 60, key: str = IDENTITY_KEY) -> str:
    """The identity of this user for the transaction that the session is in; it begins one if need be."""
    return Signer(key, seconds=seconds).sign(user, transaction_of(session))


def act_as(session: Session | Connection, user: uuid.UUID) -> None:
    """Go on in this transaction as this user."""
    session.execute(text(SIGN), {"identity": signed_for(session, user)})


def signed_on(connection: psycopg.Connection, user: uuid.UUID) -> str:
    """As `signed_for`, on a connection without SQLAlchemy."""
    row = connection.execute(TRANSACTION.text.encode()).fetchone()
    assert row is not None
    return Signer(IDENTITY_KEY, seconds=60).sign(user, row[0])


def by_hand(user: object, expiry: object, transaction: str, key: str = IDENTITY_KEY) -> str:
    """An identity made by the book, of any content."""
    payload = f"{user}|{expiry}"
    mac = hmac.new(bytes.fromhex(key), f"{payload}|{transaction}".encode(), hashlib.sha256)
    return f"{payload}|{mac.hexdigest()}"


def soon() -> int:
    """In a minute."""
    return int(time.time()) + 60


def signed(user: object, expiry: object, key: str = IDENTITY_KEY) -> Made:
    """An identity made here, by the book."""
    return lambda transaction: by_hand(user, expiry, transaction, key)


def good(user: uuid.UUID, key: str = IDENTITY_KEY) -> Made:
    """As the API signs it."""
    return lambda transaction: Signer(key, seconds=60).sign(user, transaction)


def changed(made: Made, change: Callable[[str], str]) -> Made:
    """An identity with a change."""
    return lambda transaction: change(made(transaction))
