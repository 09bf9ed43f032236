# First step: the bench's folder is locked for ever, and its Procfile leased.
. "$(dirname "$0")/lib.sh"
flock "$BENCH" sleep 60 &
sleep 1
restart
config background_workers 2
root apply --yes -C "$BENCH"
kill %1
python3 -c "import fcntl, signal, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
f = open('$BENCH/Procfile', 'r+')
fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)
time.sleep(60)" attack &
sleep 1
restart
root diff -C "$BENCH"
kill %2
