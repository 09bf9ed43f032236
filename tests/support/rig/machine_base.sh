# Mounts a machine's disk in a mount namespace of its own and holds it until it is killed.
# Arguments: the state folder, the lower root, a machine id; the units to mask come on stdin.
set -eu
state=$1 lower=$2 id=$3
mount -t tmpfs -o mode=755 tmpfs "$state"
root=$state/root
mkdir "$state/upper" "$state/work" "$root"
mount -t overlay -o "lowerdir=$lower,upperdir=$state/upper,workdir=$state/work" overlay "$root"
mkdir -p "$root/etc/systemd/system" "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp"
: > "$root/etc/fstab"
echo "$id" > "$root/etc/machine-id"
while read -r unit; do
	ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
echo mounted
exec sleep infinity
