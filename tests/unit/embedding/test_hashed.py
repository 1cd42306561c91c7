"""The embedder for tests: the same on every machine, fast, sensitive to shared words."""

import hashlib

from app.embedding.hashed import HashedEmbedder

embedder = HashedEmbedder()


def test_the_function_is_pinned() -> None:
    """Golden values: a change here makes every stored test vector stale."""
    vector = embedder.embed_query("Leave policy")
    assert embedder.digest == "cba592770a95f3aa28a67cdd4c6e52592c377c51614aa4c2da0ac6181d92dd14"
    assert hashlib.sha256(vector.tobytes()).hexdigest() == (
        "f1d71055f3724c07ed263ccf0f85943ba3456dc61a2ab4888dee90d11c56d61d"
    )
