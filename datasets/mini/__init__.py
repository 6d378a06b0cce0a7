"""The embedded mini-suite: an exact small renderer, the scripts of its sequences, and the writers of six layouts."""
