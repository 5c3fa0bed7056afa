"""How the pictures of README and docs are made, one module a page. `docs/make_pictures.py` makes them."""
