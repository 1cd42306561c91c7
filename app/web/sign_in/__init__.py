"""The pages on which people sign in, and what a browser sends from them."""
