"""The `/v1` JSON of each noun: one module, one list of routes."""
