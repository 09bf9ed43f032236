# First step: files of a terabyte, a million lines, and depth without end.
. "$(dirname "$0")/lib.sh"
cp -a "$BENCH/sites" "$HOME/attack.sites"
for name in Procfile prodgen.yaml sites/common_site_config.json .env sites/one.test/site_config.json \
    config/redis_queue.conf apps/frappe/frappe/__init__.py; do
    [ -e "$BENCH/$name" ] && cp "$BENCH/$name" "$HOME/attack.kept" || rm -f "$HOME/attack.kept"
    truncate -s 1T "$BENCH/$name"
    root diff -C "$BENCH"
    rm -f "$BENCH/$name"; mv "$HOME/attack.kept" "$BENCH/$name" 2>/dev/null
done
python3 -c "print('[' * 10**6)" >"$COMMON"; root diff -C "$BENCH"
python3 -c "print('a: &a [x]\n' + '\n'.join(f'k{i}: [*a, *a]' for i in range(9999)))" >"$BENCH/prodgen.yaml"
root diff -C "$BENCH"
