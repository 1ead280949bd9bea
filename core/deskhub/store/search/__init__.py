"""Search over messages and notes: an index beside the log, made from it and never its equal.

It may lag, be thrown away and be made anew; what a hit says is always read from the log.
"""

from deskhub.store.search.indexer import Indexer
from deskhub.store.search.service import Hits, Search

__all__ = ["Hits", "Indexer", "Search"]
