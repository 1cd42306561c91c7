"""What a text passes on its way out, by name: to a model out of the house (`prompt`), and to its reader."""

from typing import Literal, get_args

# In this order.
Stage = Literal["prompt", "grounding", "citations", "redaction", "active content"]
STAGES: tuple[Stage, ...] = get_args(Stage)
