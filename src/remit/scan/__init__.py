"""The scanner: reads what configures agents, runs nothing of it, tries no secret and prints none."""
