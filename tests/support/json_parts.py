"""Parts of JSON, of which tests make texts that readers might see differently."""

PARTS = [
    *'{}[],:"\\ \n\t\r', *"0123456789-+.eE", "null", "true", "false", "NaN", "Infinity", "9007199254740991",
    "9007199254740992", "-0", "1.0", "1.5", "1e2", '"a"', '"b"', '"a":1', '"b":2', '"é"', "\\u0000", "\\u001f",
    "\\u001F", "\\u0041", "\\/", "\\n", "\\u000a", "\\ud800", "\\ud83d\\ude00", "\0", "\x1f", "\x7f", "\u2028",
    "\ud800", "[[[[[[[", "]]]]]]]",
]  # fmt: skip
