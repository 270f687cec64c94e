"""What is true.

Frozen types for the nouns of the glossary, their lifecycles as tables, and the law: `decision.decide`. Nothing here
does I/O, reads a clock or draws randomness; the instant and every id come in as arguments. A value that exists is
valid: constructors refuse what cannot be, with a `RemitError` that has a stable code and a remedy.
"""
