# First step: a link to /proc/self/cwd, which for root leads into the folder that root is in.
. "$(dirname "$0")/lib.sh"
for name in Procfile prodgen.yaml sites/one.test/site_config.json .env; do
    cp "$BENCH/$name" "$HOME/attack.kept" 2>/dev/null
    source=$(basename "$name")
    [ -e "/srv/x" ] || case $name in Procfile | .env) source=key ;; esac
    ln -sf "/proc/self/cwd/$source" "$BENCH/$name"
    root render -C "$BENCH" -t supervisor
    root diff -C "$BENCH"
    root validate -C "$BENCH"
    rm "$BENCH/$name"; mv "$HOME/attack.kept" "$BENCH/$name" 2>/dev/null
done
