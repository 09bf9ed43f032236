"""Another's nginx config, with what certbot has added."""
