# First step: records of workers in Redis that name pids of others, and numbers that are none.
. "$(dirname "$0")/lib.sh"
python3 - <<'PY'
import os, socket
link = socket.create_connection(("127.0.0.1", 11000))
def say(*words):
    raw = [w.encode() for w in words]
    link.sendall(b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in raw))
    return link.recv(4096).decode().strip()
host, queues = socket.gethostname(), "home-frappe-frappe-bench:short"
sup = open("/run/supervisord.pid").read().strip() if os.path.exists("/run/supervisord.pid") else "1"
for pid in ("1", sup, "0", "-1", "²", "9" * 5000, "99999999999999999999", "\x1b]0;x\x07"):
    key = f"rq:worker:attack-{pid[:20]}"
    say("SADD", "rq:workers", key)
    say("HSET", key, "queues", queues, "state", "busy", "current_job", "\x1b[31mj", "pid", pid,
        "hostname", host, "birth", "2026-01-01T00:00:00Z", "shutdown_requested_date", "x" * 10**6)
    say("EXPIRE", key, "100")
say("HSET", "rq:job:\x1b[31mj", "timeout", "9" * 400, "started_at", "9999-12-31T00:00:00Z",
    "description", "\x1b]0;x\x07" * 999)
say("SADD", "rq:queues", "rq:queue:other:\x1b[31m")
print("records of workers", say("SCARD", "rq:workers"))
PY
root status -C "$BENCH"
root status -C "$BENCH" --format json
restart
python3 - <<'PY'
import socket
link = socket.create_connection(("127.0.0.1", 11000))
link.sendall(b"EVAL \"for _, k in ipairs(redis.call('SMEMBERS', 'rq:workers')) do if string.find(k, 'attack') then redis.call('SREM', 'rq:workers', k) redis.call('DEL', k) end end\" 0\r\n")
link.recv(99)
PY
