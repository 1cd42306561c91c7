"""What others know of the bundled model without importing its server."""

MODEL_NAME = "SmolLM2-135M-Instruct"
CONTEXT_TOKENS = 4096  # for each request: passages, question and answer
