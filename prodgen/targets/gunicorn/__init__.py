"""The target `gunicorn`: gunicorn.conf.py."""
