"""The fictional company that ships with Clearance, and the builder of its Office and PDF files."""
