"""How the tables came to be, one file for each change: ``versions/NNNN_what.py``.

Each file names its *compat*: the oldest version of the code that still works with the tables
after it. A change that only adds keeps the one before; one that takes away raises it.
"""
