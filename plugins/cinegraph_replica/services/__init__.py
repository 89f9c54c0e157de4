"""The services the replica stands in for, one module each: ``routes(prefix, catalogue)``."""
