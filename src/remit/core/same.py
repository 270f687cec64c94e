"""Whether two secret texts are the same, in a time that says nothing of where they differ."""

import hmac


def same(shown: object, known: str) -> bool:
    """Say whether a text that somebody shows is the one that we know. What is no text is not."""
    return isinstance(shown, str) and hmac.compare_digest(shown.encode(errors="surrogatepass"), known.encode())
