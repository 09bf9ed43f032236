# First step: the log of migrations leads to a file of root's, a pipe, or what prodgen has open.
. "$(dirname "$0")/lib.sh"
log=$BENCH/logs/prodgen-migrate.log
for target in "$VAULT/open/key" /etc/passwd /proc/self/fd/1 /proc/self/fd/3 /proc/self/mem /dev/tty; do
    ln -sf "$target" "$log"
    root restart --migrate -C "$BENCH"
done
rm -f "$log"; mkfifo "$log"; root restart --migrate -C "$BENCH"
rm -f "$log"; mv "$BENCH/logs" "$BENCH/logs.real"; ln -s /var/log/frappe-bench "$BENCH/logs"
root restart --migrate -C "$BENCH"
