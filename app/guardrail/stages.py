"""What a text passes on its way out, by name."""

from typing import Literal, get_args

# In this order.
Stage = Literal["grounding", "citations", "redaction", "active content"]
STAGES: tuple[Stage, ...] = get_args(Stage)
