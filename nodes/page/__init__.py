"""What the pack's own parts of ComfyUI's page ask the server: addresses below `/escalier`, for reading alone."""

from .routes import add_routes as add_routes
