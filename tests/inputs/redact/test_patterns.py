"""Secrets: which names have one, and lines that do not give it away."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.inputs.core.source import Source
from prodgen.inputs.redact.patterns import SENSITIVE, Secret, has_secret_name, is_secret_name, mask

SECRET_KEYS = (
    "db_password encryption_key admin_password root_password rq_password mail_password secret "
    "redis_queue_master_password fc_communication_secret s3_access_key s3_secret_key "
    "dropbox_access_key pulse_api_key ngrok_authtoken fn_bearer_token SENTRY_DSN API-KEY "
    "stringee_api_key_sid AUTH_KEY db-root-password"
)
PUBLIC_KEYS = (
    "ssl_certificate_key db_name webserver_port redis_cache host_name keep_backups_for_hours "
    "bench_id domains key keys sidebar dsnx"
)


@pytest.mark.parametrize("name", SECRET_KEYS.split())
def test_secret_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", PUBLIC_KEYS.split())
def test_public_names(name: str) -> None:
    assert not is_secret_name(name)


@given(st.text("passwordſKtokencredentıalikey_-AUTHsid.dn KEY", max_size=30))
def test_no_hint_is_missing(text: str) -> None:
    assert has_secret_name(text) == bool(re.search(SENSITIVE, text, re.IGNORECASE))


@pytest.mark.parametrize("name", ["paſſword", "toKen", "CREDENTıAL", "x_SıD", "api_Key"])
def test_nor_one_for_letters_that_differ_in_case_only(name: str) -> None:
    assert re.search(SENSITIVE, name, re.IGNORECASE)
    assert has_secret_name(name)


def test_a_secret_shows_itself_to_nobody_by_chance() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {secret!s} {[secret]} {(secret,)!r}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("other")


@pytest.mark.parametrize(
    "text",
    [
        '{"db_password": "hunter2", "a": 1}',
        '"rq_password":\n   "hunter2"',
        '"mail_password" : "hunter2',
        "'secret': 'hunter2'",
        "DB_PASSWORD=hunter2 bench worker",
        "x --password hunter2 --db-password=hunter2",
        "redis-server --requirepass hunter2",
        '"redis_queue": "redis://me:hunter2@127.0.0.1:11000"',
        "redis://:hunter2@h/1",
        "api_key: hunter2 # a comment",
    ],
)
def test_masked(text: str) -> None:
    masked = mask(text)
    assert "hunter2" in text
    assert "hunter2" not in masked
    assert masked.count("*") >= 7
    assert len(masked) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"ssl_certificate_key": "/etc/x.key", "webserver_port": "80"}',
        "worker: bench worker 1>> logs/worker.log 2>> logs/worker.error.log",
        "redis://127.0.0.1:13000",
        '"token": {"a": 1}',
    ],
)
def test_left_alone(text: str) -> None:
    assert mask(text) == text


@given(st.text(), st.sampled_from(["secret=", '"token": "', "://a:"]), st.text())
def test_every_other_character_keeps_its_place(before: str, key: str, after: str) -> None:
    text = before + key + after
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(new in (old, "*") for old, new in zip(text, masked, strict=True))


def test_lines_of_a_secret_file_are_never_shown() -> None:
    assert Source(".env", "A=hunter2", secret=True).locate(0).text == ""
    assert "hunter2" not in Source(".env", "A=hunter2", secret=True).shown(0, 9)
    shown = Source("f.json", '{"a": 1,\n "secret": "hunter2"}').locate(11).text
    assert shown == ' "secret": "*******"}'
