"""Links by which a browser of this machine signs in as somebody of the sample company, made anew at each start."""

from app.client.api import ApiError, Client, path
from app.local.sample_cache import SampleWelcome
from app.local.sample_people import ADMINISTRATOR

# Two who get different answers to one question, as in the commands to try.
SHOWN = ("freya", "jonas")


def links_for(base_url: str, welcome: SampleWelcome) -> tuple[tuple[str, str], ...]:
    """The name of each shown person, and their link: good once, from this machine alone.

    Whoever was switched off or renamed since has none, and a run does not end for want of a link.
    """
    names = {person.name for person in welcome.people}
    key = next((person.key for person in welcome.people if person.name == ADMINISTRATOR), None)
    if key is None:
        return ()
    made = []
    with Client(base_url, key) as administrator:
        for name in (shown for shown in SHOWN if shown in names):
            try:
                made.append((name, str(administrator.post(path("users", name, "links"), {"loopback": True})["url"])))
            except ApiError:
                continue
    return tuple(made)
