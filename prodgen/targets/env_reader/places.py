"""The reader of secrets is installed among the files that the bench's services read."""

from prodgen.targets.core.places import IN_CONFIG_FOLDER

PLACES = IN_CONFIG_FOLDER
