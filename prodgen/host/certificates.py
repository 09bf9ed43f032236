"""Whether this machine's certificates are such that nginx can load them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from prodgen.inputs.reader import NoRegularFile, open_regular

Pair = tuple[str, str]
"""Paths of a chain and of its key."""
LARGEST = 1024 * 1024
"""Bytes of a chain or a key; a chain of four certificates has some 8 KB."""


def faults_of(pairs: Iterable[Pair]) -> dict[Pair, str]:
    """Why nginx would not start with a pair, for each that is so.

    nginx reads them as root does. What another user may not read is given the benefit of the doubt.
    """
    found = {pair: _fault(*pair) for pair in dict.fromkeys(pairs)}
    return {pair: fault for pair, fault in found.items() if fault}


def _fault(chain: str, key: str) -> str:
    held: list[int] = []
    try:
        for path in (chain, key):
            try:
                descriptor, status = open_regular(path)
            except PermissionError:
                return "" if os.geteuid() else f"{path} cannot be read"
            except NoRegularFile as other:
                return f"{path} is {other}, not a file"
            except (OSError, ValueError) as failure:
                reason = failure.strerror if isinstance(failure, OSError) else None
                return f"{path}: {(reason or str(failure)).lower()}"
            held.append(descriptor)
            if status.st_size > LARGEST:
                return f"{path} is larger than {LARGEST // 1024**2} MB"
        return _fault_of_pair(chain, key, held)
    finally:
        for descriptor in held:
            os.close(descriptor)


def _fault_of_pair(chain: str, key: str, held: Sequence[int]) -> str:
    """What is wrong with two files that are open: what was looked at is what is read."""
    import ssl

    one, other = (f"/dev/fd/{descriptor}" for descriptor in held)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(one, other, password=_no_password)
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
