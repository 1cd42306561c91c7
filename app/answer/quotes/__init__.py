"""Answers in the documents' own words: which blocks are shown, how sure that is, and which words decide. Pure.

`candidates` lists what could be shown with what speaks for it, `weights` adds that up, `compose` makes whole blocks of
it, `select` chooses; `release` puts the choice behind the guardrail.
"""
