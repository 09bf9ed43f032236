# First step: hard links to files of root's in the places of the bench's own.
. "$(dirname "$0")/lib.sh"
link() { # FILE PLACE: as the user could on a kernel without fs.protected_hardlinks
    sudo -n /usr/local/sbin/root-does link "$1" "$BENCH/.attack" && mv -f "$BENCH/.attack" "$2"
    stat -c '%n has %h names and belongs to %U' "$2"
}
for file in /etc/shadow /etc/passwd "$VAULT/open/plain.json"; do
    link "$file" "$BENCH/logs/prodgen-migrate.log"
    root restart --migrate -C "$BENCH"
done
cp -p "$COMMON" "$HOME/attack.common"
for file in /etc/shadow /etc/passwd "$VAULT/open/plain.json"; do
    link "$file" "$COMMON"
    root apply --yes -C "$BENCH"
done
mv -f "$HOME/attack.common" "$COMMON"
root apply --yes -C "$BENCH"
