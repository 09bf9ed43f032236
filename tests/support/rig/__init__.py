"""The live test rig: real servers, and a stand-in for Frappe, that start and vanish with a test."""
