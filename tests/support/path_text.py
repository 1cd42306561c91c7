"""What may stand in a path that a disk, a person or an attacker sends."""

from hypothesis import strategies as st

# Letters that compose and decompose, blanks of all kinds, and what must not come through.
LETTERS = "aAbzZäöüéñÅΩの한글ภ0129._-()&+,'\u0301\u0323\u0308"
BLANKS = " \u00a0\u2009\u202f\u3000"
ODD = "\u200b\u200e\u200f\u202e\u2066\u2028\u2029\u0000\u0007\u007f\u0085\u00ad\ufeff\u034f\u3164\ufe0f"
ODD += "\ud800\\\ue000\U000e0041"
ANYTHING = st.text(st.one_of(st.sampled_from(LETTERS + BLANKS + ODD + "/"), st.characters()), max_size=40)
