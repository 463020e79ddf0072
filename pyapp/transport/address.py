"""The address of a server and the token for it, as a user gives them."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def check_base_url(url: str) -> str:
    """The address without a slash at its end. Raises ValueError with the reason why it is none."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:  # whose words repeat the address, and a password that is in it
        raise ValueError("not the address of a server: its name or its port cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address of a server begins with http:// or https://, then comes its name")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address holds a name or a password; give the token for itself")
    if parts.query or parts.fragment:
        raise ValueError("the address has a part behind ? or #, which a server has not")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def check_token(token: str) -> str:
    """The token, if it fits in a header. Raises ValueError, without the token in its words."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the token holds a character that no token has, such as a line break or a space")
    return token
