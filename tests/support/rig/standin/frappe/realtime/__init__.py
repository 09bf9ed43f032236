"""The python realtime server, in the development version only."""
