"""The PostgreSQL gate without its sockets: protocol 3 as bytes, and a statement as the calls that it is.

Pure: nothing here reads a clock, a socket or randomness. `serve/postgres` moves the bytes.
"""
