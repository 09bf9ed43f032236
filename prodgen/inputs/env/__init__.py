"""Files of environment variables: Honcho's .env, and the services' env_file."""
