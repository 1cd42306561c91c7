"""`clearance doctor`: what it looks at, and how it says what to mend."""
