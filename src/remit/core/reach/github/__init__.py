"""GitHub: an organisation as its REST API lists it, and what its people, Apps, tokens and keys can do there."""
