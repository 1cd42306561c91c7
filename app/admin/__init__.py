"""Every change that somebody in charge makes: check the right, act, write the record, in one transaction."""
