"""Parsers under random bytes: one short target each, for hypothesis in the tests and for atheris from the shell."""
