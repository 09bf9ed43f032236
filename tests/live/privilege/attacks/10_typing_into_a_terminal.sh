# First step: a program of the bench's types into the terminal that root called prodgen from.
. "$(dirname "$0")/lib.sh"
python_does "/usr/bin/python3 - <<'PY'
import fcntl, glob, os, termios
open('$LOOT', 'a').write(f'{os.getuid()}\n')
for name in ['/dev/tty', '/dev/console', *glob.glob('/dev/pts/*'), *glob.glob('/proc/self/fd/*')]:
    try:
        fd = os.open(name, os.O_RDWR | os.O_NONBLOCK)
        for char in b'\nid -u >>$LOOT\n':
            fcntl.ioctl(fd, termios.TIOCSTI, bytes([char]))
    except OSError as failure:
        print(name, failure)
PY
case \$* in *migrate*|*compileall*) exit 0;; esac"
# `script` gives root a terminal, as a login does.
script -qec "sudo -n /usr/local/sbin/root-does restart --migrate -C $BENCH" /dev/null </dev/null
