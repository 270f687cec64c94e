"""The HTTP gate without its sockets: a request as the operation that it is, and what may pass back.

Pure. `serve/api` moves the bytes.
"""
