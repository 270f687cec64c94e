"""Transports towards upstream servers: an HTTP/1.1 pool, a supervised child process, an event stream parser.

Everything here moves bytes that were already decided; nothing here decides. It follows no redirect, reads no proxy
setting, keeps no cookie and hands a child no environment but the one it was given.
"""
