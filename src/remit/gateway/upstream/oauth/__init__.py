"""The gate's own OAuth client: how the gate, and never the agent, is let in at a target that wants a token."""
