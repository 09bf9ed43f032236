# First step: a service of the bench's writes entries of the journal with forged and double fields.
. "$(dirname "$0")/lib.sh"
cat >"$HOME/attack.journal.py" <<'PY'
import socket
link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
link.connect("/run/systemd/journal/socket")
for text in (b"MESSAGE=one\nMESSAGE=two\n", b"MESSAGE=x\nUNIT=nginx.service\nUNIT=b\n",
             b"MESSAGE\n" + (5).to_bytes(8, "little") + b"a\nb\xff\x1b\nUNIT=root\n", b"PRIORITY=3\n"):
    link.send(text)
print("four entries sent", flush=True)  # in the service's own log
PY
python_does "/usr/bin/python3 $HOME/attack.journal.py"
restart >/dev/null 2>&1
root logs -C "$BENCH" -n 200
root apply --yes -C "$BENCH"
