"""What a question passes on its way in, and a text on its way out, by name."""

from typing import Literal, get_args

# In this order.
Stage = Literal["refusals", "grounding", "citations", "redaction", "active content"]
STAGES: tuple[Stage, ...] = get_args(Stage)
