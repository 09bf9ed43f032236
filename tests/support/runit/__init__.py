"""A toy third manager, after runit: a folder for each service, with a program that starts it.

Its target and its backend are in this one folder. `recipe.py` has the lines that prodgen needs to
know it, and lays them into a copy.
"""
