"""The other end of a unix connection, as the kernel tells it (sock_diag(7))."""

from __future__ import annotations

import os
import socket
import struct

SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
UDIAG_SHOW_PEER = 4
UNIX_DIAG_PEER = 2
NO_COOKIE = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence, port."""
REQUEST = struct.Struct("=BBHIIIII")
"""unix_diag_req: family, protocol, padding, states, inode, what to show, cookie of two words."""
ANSWER_BYTES = 16
"""Of a unix_diag_msg, before its attributes."""
ATTRIBUTE = struct.Struct("=HH")
INODE = struct.Struct("=I")


def peer_inode(link: socket.socket) -> int:
    """The inode of the socket that accepted `link`; 0 before that, or where nobody can tell."""
    own = os.fstat(link.fileno()).st_ino
    body = REQUEST.pack(socket.AF_UNIX, 0, 0, NO_COOKIE, own, UDIAG_SHOW_PEER, NO_COOKIE, NO_COOKIE)
    head = HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as diag:
            diag.settimeout(1)
            diag.send(head + body)
            reply = diag.recv(4096)
    except OSError:
        return 0
    if HEADER.unpack_from(reply)[1] != SOCK_DIAG_BY_FAMILY:
        return 0
    return _peer_in(reply[HEADER.size + ANSWER_BYTES :])


def _peer_in(attributes: bytes) -> int:
    while len(attributes) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(attributes)
        if kind == UNIX_DIAG_PEER and length >= ATTRIBUTE.size + INODE.size:
            return int(INODE.unpack_from(attributes, ATTRIBUTE.size)[0])
        attributes = attributes[max(ATTRIBUTE.size, (length + 3) & ~3) :]
    return 0


def is_available() -> bool:
    """Whether this kernel tells (a container may lack its module `unix_diag`)."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with one, other:
        return peer_inode(one) == os.fstat(other.fileno()).st_ino
