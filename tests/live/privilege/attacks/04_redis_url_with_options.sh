# First step: what a Redis URL may say beside its address; a socket that only root may use.
. "$(dirname "$0")/lib.sh"
for url in 'redis://127.0.0.1:11000?socket_timeout=x' 'redis://127.0.0.1:11000?bogus=1' 'redis://[::1' \
    'unix:///run/supervisor.sock?db=1' 'unix:///run/dbus/system_bus_socket' 'http://127.0.0.1:80' \
    'rediss://127.0.0.1:11000?ssl_keyfile=/srv/vault/secret' 'redis://$(id>loot)/;id'; do
    config redis_queue "\"$url\""
    root status -C "$BENCH"
    root doctor -C "$BENCH"
done
restart
