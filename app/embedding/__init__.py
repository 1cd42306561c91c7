"""Text to vectors, and question and passage to a score: functions of the text alone."""

import os

# Before anything here imports onnxruntime, which else starts a thread that keeps what it would tell its makers.
# Switching that off later, by its own function, is too late for the thread and its files in the user's cache folder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
