"""Sessions and tables."""
