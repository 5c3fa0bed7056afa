"""The one log of the library and its nodes; the command line alone says where its lines go."""

import logging

log = logging.getLogger("escalier")
