# First step: files that root rewrites are setuid programs, or have odd modes and owners.
. "$(dirname "$0")/lib.sh"
chmod 6777 "$COMMON"
cp /bin/sh "$BENCH/logs/web.log" 2>/dev/null; chmod 6755 "$BENCH/logs/web.log"
config background_workers 2
umask 0
root apply --yes -C "$BENCH"
find "$BENCH" /var/log/frappe-bench /etc/prodgen -user root -perm /6000 -exec sh -c 'id -u >>$0; "$1" -c id' "$LOOT" {} \;
