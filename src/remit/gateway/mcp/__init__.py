"""MCP without sockets: messages, revisions, headers, lists, answers. Pure: bytes and values in, values out.

Revisions 2026-07-28 (`modern`: no session, every request names its revision) and 2025-11-25, 2025-06-18 (`legacy`:
`initialize` and a session). https://modelcontextprotocol.io/specification/
"""
