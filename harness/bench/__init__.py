"""Measuring speed. Tests never look at a clock; what is measured here is for people to read.

``cases`` what is timed, ``scopes`` how much of the way, ``clips`` on what, ``parts`` where the time goes, ``ceiling``
what the machine could do, ``compare`` cases in turn, ``authors`` our network and theirs, ``timing_tables`` all as text.
"""
