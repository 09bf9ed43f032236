"""What bench writes into an nginx.conf, in all the versions that are found in the field.

From bench/config/templates/nginx.conf (4.x to 5.31), and the few lines that certbot adds.
"""

from __future__ import annotations

import re

from prodgen.targets.nginx.parse import Directive

UPSTREAM = r"(\S+-)?(frappe|socketio-server)"
SITE_MAP = r"\$site_name_[a-z]{7}"
"""The variable of a map from domains to sites (bench/config/nginx.py, `random_string`)."""
SERVER = (
    r"sendfile on",
    r"keepalive_timeout (5|15)",
    r"client_max_body_size 50m",
    r"client_body_buffer_size 16K",
    r"client_header_buffer_size 1k",
    r"gzip on",
    r"gzip_http_version 1\.1",
    r"gzip_comp_level 5",
    r"gzip_min_length 256",
    r"gzip_proxied any",
    r"gzip_vary on",
    r"proxy_buffer_size 128k",
    r"proxy_buffers 4 256k",
    r"proxy_busy_buffers_size 256k",
    r"limit_conn per_host_\w+ 8",
    r"error_page 502 /502\.html",
    r"add_header X-Frame-Options \"?SAMEORIGIN\"?",
    r"add_header Strict-Transport-Security max-age=63072000; includeSubDomains; preload",
    r"add_header X-Content-Type-Options nosniff",
    r"add_header X-XSS-Protection 1; mode=block",
    r"add_header Referrer-Policy same-origin, strict-origin-when-cross-origin",
    r"ssl_session_timeout 5m",
    r"ssl_session_cache shared:SSL:10m",
    r"ssl_session_tickets off",
    r"ssl_protocols TLSv1(\.1)?( TLSv1\.[123])*|ssl_protocols TLSv1\.2 TLSv1\.3",
    r"ssl_ciphers EECDH\+AESGCM:EDH\+AESGCM",
    r"ssl_ecdh_curve secp384r1",
    r"ssl_prefer_server_ciphers on",
)
CERTBOT = (
    r"include /etc/letsencrypt/options-ssl-nginx\.conf",
    r"ssl_dhparam /etc/letsencrypt/ssl-dhparams\.pem",
)
"""Certbot's ways of TLS (certbot_nginx); ours come from `nginx: {tls: ...}`."""
GZIP_TYPES = frozenset({
    "application/atom+xml", "application/font-woff", "application/javascript", "application/json",
    "application/rss+xml", "application/vnd.ms-fontobject", "application/x-font-ttf",
    "application/x-web-app-manifest+json", "application/xhtml+xml", "application/xml",
    "font/opentype", "image/svg+xml", "image/x-icon", "text/css", "text/plain", "text/x-component",
})  # fmt: skip
LOCATIONS = (
    r"location /assets/?",
    r"location ~ \^/protected/\(\.\*\)",
    r"location /private/",
    r"location /socket\.io",
    r"location /",
    r"location @(webserver|magic)",
    r"location /502\.html",
    r"location ~\*? \^/files/\.\*\.\(htm\|html\|svg\|xml\)",
)
APPLICATION = r"location (/|@webserver|@magic)"
"""Where requests go to the application."""
INNER = (
    r"internal",
    r"add_header Cache-Control max-age=31536000",
    r"add_header Content-disposition attachment",
    r"try_files \$uri =404",
    r"try_files /\S+/\$1 =404",
    r"try_files /\$uri =424",
    r"try_files /\S+/public/\$uri @(webserver|magic)",
    r"rewrite \^\(\.\+\)(/|/index\\\.html|\\\.html)\$ \$1 permanent",
    r"proxy_http_version 1\.1",
    r"proxy_redirect off",
    r"proxy_pass http://" + UPSTREAM,
    r"proxy_read_timeout 120",
    r"proxy_set_header Host \$host",
    r"proxy_set_header Origin \$scheme://\$http_host",
    r"proxy_set_header Upgrade \$http_upgrade",
    r"proxy_set_header Connection upgrade",
    r"proxy_set_header X-Forwarded-For \$(remote_addr|proxy_add_x_forwarded_for)",
    r"proxy_set_header X-Forwarded-Proto \$scheme",
    r"proxy_set_header X-Use-X-Accel-Redirect True",
    r"root /\S*/bench/config/templates",
)


def spelled(one: Directive) -> str:
    """The directive in one line, without its braces."""
    return " ".join(one.words)


def is_one_of(one: Directive, patterns: tuple[str, ...]) -> bool:
    """Whether bench has written it."""
    text = spelled(one)
    return any(re.fullmatch(pattern, text) for pattern in patterns)


def is_bench_server_line(one: Directive) -> bool:
    """Whether bench, or certbot for it, writes this into a server, and its value says no more."""
    if one.words[:1] == ("gzip_types",):
        return GZIP_TYPES.issuperset(one.words[1:])
    return is_one_of(one, SERVER) or is_one_of(one, CERTBOT)
