"""The web face: OAuth for agents, JSON for the nouns, the public ledger, and what operators watch."""
