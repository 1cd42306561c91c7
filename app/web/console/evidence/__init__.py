"""Pages for who audits: the log, its events, exports, heads."""
