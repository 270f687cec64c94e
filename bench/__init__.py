"""Measurements: each figure beside its goal and its baseline of the same run. `python -m bench` prints one document."""
