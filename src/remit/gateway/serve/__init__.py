"""The gate's sockets: a raw ASGI application for `/mcp/{resource}`, and what carries its calls to their targets."""
