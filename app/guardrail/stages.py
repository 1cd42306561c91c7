"""What a question passes on its way in, and a text on its way out, by name; `prompt`: to a model out of the house."""

from typing import Literal, get_args

# In this order.
Stage = Literal["refusals", "prompt", "grounding", "citations", "redaction", "active content"]
STAGES: tuple[Stage, ...] = get_args(Stage)
