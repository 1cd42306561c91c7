"""What comes in: finds in passages what is hidden from their reader or speaks to the answering model. Pure."""
