# First step: a note of a maintenance mode that names files elsewhere, or is none.
. "$(dirname "$0")/lib.sh"
note=$BENCH/sites/.prodgen-maintenance.json
ln -s "$VAULT/open" "$BENCH/sites/x"
for text in '{"../../etc/passwd": 1, "sites/x/site_config.json": 1, "sites/../x/site_config.json": 1}' \
    '[1]' '{' '{"sites/one.test/site_config.json": {"a": 1}}' "$(printf '[%.0s' $(seq 5000))"; do
    echo "$text" >"$note"
    echo '{"maintenance_mode": true, "a": "\ud800"' >"$BENCH/sites/two.test/site_config.json"
    root status -C "$BENCH"
    restart 2>&1 | tail -2
done
rm -f "$note"; mkfifo "$note"; restart
rm -f "$note"; ln -s "$VAULT/secret" "$note"; restart
