"""A defect in the handling of one connection must not stop the others."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def guarded(callback: Callable[..., None], *arguments: object) -> None:
    """Call; an error that nobody expected goes to the log instead of out of the loop that calls many."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("a defect: %r failed", callback)
