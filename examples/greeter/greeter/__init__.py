"""A service that greets people: Python's standard library and nothing else."""
