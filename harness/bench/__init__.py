"""Measuring speed. Tests never look at a clock; what is measured here is for people to read.

``cases`` what is timed, ``scopes`` how much of the way, ``clips`` on what, ``parts`` where the time goes, ``ceiling``
what the machine could do, ``compare`` two cases in turn, ``table`` numbers to text and JSON. ``scoring`` is the
benchmark of text files to scores.
"""
