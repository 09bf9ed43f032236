# First step: files that root rewrites are setuid programs, or have odd modes and owners.
. "$(dirname "$0")/lib.sh"
config restart_supervisor_on_update null
chmod 6777 "$COMMON"
cp /bin/sh "$BENCH/logs/web.log" 2>/dev/null; chmod 6755 "$BENCH/logs/web.log"
umask 0
stat -c '%n: %a %U' "$COMMON"
root apply --yes -C "$BENCH"
stat -c '%n: %a %U' "$COMMON"
find "$BENCH" /var/log/frappe-bench /etc/prodgen -user root -perm /6000 -exec sh -c 'id -u >>$0; "$1" -c id' "$LOOT" {} \;
