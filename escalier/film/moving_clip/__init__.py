"""A small filmed-looking clip made with code, that knows its own motion exactly: for demo, tests and benchmarks."""
