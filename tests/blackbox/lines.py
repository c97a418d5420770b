"""The lines of the protocol, written out once more, so that a changed text is noticed here."""

UPLOAD_COMPLETE = "[INFO] Upload complete."
COMPLETE = "[INFO] Transfer complete."
RECEIVER_LEFT = "[INFO] A receiver disconnected."
ALL_LEFT = "[INFO] All receivers disconnected before transfer completed."
SENDER_FAILED = "[ERROR] Transfer failed — sender encountered an error."
NO_RECEIVERS = "[ERROR] Timed out waiting for receivers."
NO_SENDER = "[ERROR] Timed out waiting for sender."
SHUTTING_DOWN = "[ERROR] Server shutting down."
IDLE = "[ERROR] Idle timeout."


def waiting(count: int = 1) -> str:
    """The first line a sender reads."""
    return f"[INFO] Waiting for {count} receiver(s) to connect..."


def already(count: int = 1) -> str:
    """The second line, when receivers were there first."""
    return f"[INFO] {count} receiver(s) already connected."


def streaming(count: int = 1) -> str:
    """The line at the start of the stream."""
    return f"[INFO] Streaming to {count} receiver(s)..."


def incomplete(lost: int, count: int) -> str:
    """The last line when some receivers were lost."""
    return f"[ERROR] Transfer incomplete — {lost} of {count} receivers did not get everything."


def whole(count: int = 1, there: int = 0) -> list[str]:
    """All lines of a transfer that went well; `there` receivers came before the sender."""
    head = [waiting(count), *([already(there)] if there else [])]
    return [*head, streaming(count), UPLOAD_COMPLETE, COMPLETE]
