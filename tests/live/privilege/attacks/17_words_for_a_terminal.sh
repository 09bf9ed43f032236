# First step: what a process is called, and writes, holds commands for root's terminal.
. "$(dirname "$0")/lib.sh"
( cd "$BENCH/sites" && setsid python3 -c "import os,time
if os.fork(): os._exit(0)
time.sleep(1)
os.execv('/usr/bin/python3', ['python3', '-c', 'import time; time.sleep(60)', 'frappe.utils.bench_helper', 'worker', '--queue', '\x1b]0;owned\x07\x1b[2Jattack'])" & )
sleep 2
python_does "printf 'x\033]0;owned\007\033[2J\rfake\n\x9b31m'"
restart >/dev/null 2>&1
root status -C "$BENCH"
root logs -C "$BENCH"
root doctor -C "$BENCH"
