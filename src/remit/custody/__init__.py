"""Keys and secrets that we hold, and the sources that mint and drop at targets.

Nothing here decides whether something may be done: control decides, custody keeps. Randomness, instants and rows come
in as arguments, so every act can be repeated exactly in a test.
"""
