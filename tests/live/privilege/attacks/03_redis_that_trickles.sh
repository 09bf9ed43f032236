# First step: a server in Redis' place that answers one byte a second, for ever.
. "$(dirname "$0")/lib.sh"
python3 - <<'PY' &
import socket, threading, time  # attack
server = socket.create_server(("127.0.0.1", 11999))
def serve(link):
    try:
        while True:
            link.sendall(b"+"); time.sleep(1)
    except OSError: pass
while True:
    threading.Thread(target=serve, args=[server.accept()[0]], daemon=True).start()
PY
sleep 1
config redis_queue '"redis://127.0.0.1:11999?socket_timeout=1e9"'
restart
root status -C "$BENCH"
kill %1
