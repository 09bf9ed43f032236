"""Whether this machine's certificates are such that nginx can load them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

Pair = tuple[str, str]
"""Paths of a chain and of its key."""


def faults_of(pairs: Iterable[Pair]) -> dict[Pair, str]:
    """Why nginx would not start with a pair, for each that is so.

    nginx reads them as root does. What another user may not read is given the benefit of the doubt.
    """
    found = {pair: _fault(*pair) for pair in dict.fromkeys(pairs)}
    return {pair: fault for pair, fault in found.items() if fault}


def _fault(chain: str, key: str) -> str:
    import ssl

    for path in (chain, key):
        try:
            Path(path).open("rb").close()
        except PermissionError:
            return "" if os.geteuid() else f"{path} cannot be read"
        except (OSError, ValueError) as failure:
            reason = failure.strerror if isinstance(failure, OSError) else None
            return f"{path}: {(reason or str(failure)).lower()}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(chain, key, password=_no_password)
    except ssl.SSLError as failure:
        if failure.reason == "KEY_VALUES_MISMATCH":
            return f"the key {key} is not that of {chain}"
        return f"{chain} and {key} are no certificate with its key ({failure.reason or failure})"
    except (OSError, ValueError) as failure:
        return f"{key}: {failure}"
    return ""


def _no_password() -> str:
    """nginx would ask for the password of a key at each start, and nobody would answer."""
    raise ValueError("the key is behind a password")
