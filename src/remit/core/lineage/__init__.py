"""Lineage: who vouches for each value that a call gives. Pure; docs/spec/lineage.md."""
