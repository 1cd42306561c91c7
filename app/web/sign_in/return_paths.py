"""Where somebody goes on to after signing in: a path of this site, and nothing that a browser takes for more."""


def local_path(text: str) -> str:
    """A path of this site to go on to; `/` for whatever would lead elsewhere."""
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if plain else "/"
