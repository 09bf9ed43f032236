# First step: the bench's folder is locked for ever, and its lease is taken.
. "$(dirname "$0")/lib.sh"
flock "$BENCH" sleep 60 &
python3 -c "import fcntl,time; f=open('$BENCH/Procfile','r+'); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK); time.sleep(60)" attack &
sleep 1
restart
root apply --yes -C "$BENCH"
root diff -C "$BENCH"
kill %1 %2
