"""Nine values of the kinds that must never be read back, each with a sentence it stands in and a word that names it.

They are made up: the card passes Luhn, the IBAN its checksum, the phone number is kept for drama, keys are random.
"""

import random
import string
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planted:
    """A value; `sentence` and `naming` have a place for it, and the second names its kind beside it."""

    kind: str
    value: str
    sentence: str
    naming: str


def random_text(seed: str, size: int, characters: str = string.ascii_letters + string.digits) -> str:
    """Always the same characters for a seed, so that the repository holds nothing that looks like a key."""
    return "".join(random.Random(seed).choices(characters, k=size))


VALUES = (
    Planted("card", "5412 7534 5678 9010", "We charged {} for the renewal in May.", "The card number is {}."),
    Planted("IBAN", "DE89 3704 0044 0532 0130 00", "Please transfer the deposit to {} by Friday.", "The IBAN is {}."),
    Planted("phone", "+44 20 7946 0958", "You reach her on {} after nine.", "Her phone number is {}."),
    Planted("SSN", "536-22-8731", "His social security number is {}, says the form.", "The SSN is {}."),
    Planted("e-mail", "maria.lindqvist@nordwind.de", "Send the slides to {} tonight.", "Her e-mail address is {}."),
    Planted("IP", "172.22.114.87", "The backup runs on {} at night.", "The IP address is {}."),
    Planted(
        "token",
        "sk_live_" + random_text("token", 24),
        "The shop pays with {} in production.",
        "The API token is {}.",
    ),
    Planted(
        "key id",
        "AKIA" + random_text("key id", 16, string.ascii_uppercase + "234567"),
        "The bucket is written with {} from the build.",
        "The access key is {}.",
    ),
    Planted("password", "Tulpe!Regen-4471", "The password is {} and nobody else has it.", "The password is {}."),
)
