"""The commands. Everything is wired here, and only here settings are read."""
