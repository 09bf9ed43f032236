"""Tests on real servers, and of the rig that starts them."""
