"""The language model behind one protocol."""
