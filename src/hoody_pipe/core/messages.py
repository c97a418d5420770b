"""Every line that a client may read, in one place.

Clients match these texts (protocol B.3, B.4, C.4, J.2), so a change here is a change of the protocol. A line carries
its level and no line end.
"""

TIMED_OUT_SENDER = "[ERROR] Timed out waiting for sender."
TIMED_OUT_RECEIVERS = "[ERROR] Timed out waiting for receivers."
RECEIVER_LEFT = "[INFO] A receiver disconnected."
UPLOAD_COMPLETE = "[INFO] Upload complete."
TRANSFER_COMPLETE = "[INFO] Transfer complete."
ALL_RECEIVERS_LEFT = "[INFO] All receivers disconnected before transfer completed."
SENDER_FAILED = "[ERROR] Transfer failed — sender encountered an error."
AT_CAPACITY = "[ERROR] Server at maximum active transfer capacity."
IDLE = "[ERROR] Idle timeout."
SHUTTING_DOWN = "[ERROR] Server shutting down."
RETRY_CAPACITY = "[ERROR] Server at maximum active transfer capacity. Try again later."
TOO_MANY_PENDING = "[ERROR] Too many pending transfers. Try again later."
PATH_TOO_LONG = "[ERROR] Path too long (max {longest} characters)."
CONTENT_RANGE = "[ERROR] Content-Range headers are not supported."
SERVICE_WORKER = "[ERROR] Service Worker requests are not allowed."
INVALID_COUNT = '[ERROR] Invalid receiver count — "n" must be a positive integer.'
INVALID_WAIT = '[ERROR] Invalid wait — "wait" must be an integer number of seconds (1-{longest}).'
WAIT_OUT_OF_RANGE = "[ERROR] Wait out of range (1-{longest} seconds, got {got})."
INVALID_REQUIRE = '[ERROR] Invalid "require" — must be "all" or "any".'
NO_WEBSOCKET = "[ERROR] WebSocket relay is not enabled on this server."


def waiting(count: int) -> str:
    return f"[INFO] Waiting for {count} receiver(s) to connect..."


def already_connected(count: int) -> str:
    return f"[INFO] {count} receiver(s) already connected."


def streaming(count: int) -> str:
    return f"[INFO] Streaming to {count} receiver(s)..."


def incomplete(lost: int, count: int) -> str:
    return f"[ERROR] Transfer incomplete — {lost} of {count} receivers did not get everything."


def sender_exists(name: str) -> str:
    return f"[ERROR] Path '{name}' already has a sender connected."


def in_use(name: str) -> str:
    return f"[ERROR] Path '{name}' is already in use by an active transfer."


def count_mismatch(expected: int, got: int) -> str:
    return f"[ERROR] Receiver count mismatch — expected {expected} but got {got}."


def slots_taken(name: str, count: int) -> str:
    return f"[ERROR] All {count} receiver slot(s) for '{name}' are already taken."


def reserved(path: str) -> str:
    return f"[ERROR] '{path}' is a reserved path. Use a custom path like '/myfile' or '/transfer123'."


def only_under_prefix(path: str) -> str:
    return f"[ERROR] '{path}' is not a valid path. Use '/api/v1/pipe{path}'."


def invalid_path(problem: str) -> str:
    return f"[ERROR] Invalid path — {problem}."


def method_not_allowed(method: str, hint: str = "") -> str:
    return f"[ERROR] Method {method} is not allowed.{hint}"


def not_yet(feature: str) -> str:
    return f"[ERROR] {feature} is not available on this server."
