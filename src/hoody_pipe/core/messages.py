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
INVALID_BOUNDARY = "[ERROR] Invalid multipart/form-data — a boundary of 1 to 70 characters is needed."
LIVE_WITH_WS = '[ERROR] "live" cannot be combined with "ws".'
FORM_WITH_LIVE = '[ERROR] "live" does not support multipart/form-data.'
INVALID_SIZE = '[ERROR] Invalid size — "size" must be a number of bytes, like 4096, 200G, 1.5T or 10GiB.'
INVALID_TRANSFER = '[ERROR] Invalid "transfer" — 16-64 characters A-Z a-z 0-9 _ -.'
INVALID_TRANSFER_ID = "[ERROR] Invalid transfer id."
TRANSFER_IN_USE = "[ERROR] Transfer id already in use."
UNKNOWN_TRANSFER = "[ERROR] Unknown or expired transfer."
TRANSFER_WITH_WS = '[ERROR] "transfer" is not supported with ?ws.'
TOO_MANY_CONNECTIONS = "[ERROR] Too many connections from your address (max {most}). Try again later."
TOO_MANY_SPECTATORS = "[ERROR] Too many spectators. Try again later."
NO_WEBSOCKET = "[ERROR] WebSocket relay is not enabled on this server."

# why a transfer failed, as ?status and ?progress say it (protocol E)
SENDER_LEFT = "Sender disconnected"
SENDER_ERROR = "Sender encountered an error"
RECEIVERS_GONE = "All receivers disconnected"
TIMED_OUT = "Timed out"
NO_RECEIVERS_CAME = "Timed out waiting for receivers"
IDLE_REASON = "Idle timeout"
NO_CAPACITY = "Server at capacity"
STOPPED = "Server shutting down"


def waiting(count: int) -> str:
    return f"[INFO] Waiting for {count} receiver(s) to connect..."


def already_connected(count: int) -> str:
    return f"[INFO] {count} receiver(s) already connected."


def streaming(count: int) -> str:
    return f"[INFO] Streaming to {count} receiver(s)..."


def incomplete(lost: int, count: int) -> str:
    return f"[ERROR] Transfer incomplete — {incomplete_reason(lost, count)}."


def incomplete_reason(lost: int, count: int) -> str:
    return f"{lost} of {count} receivers did not get everything"


def sha256(digest: str) -> str:
    return f"[INFO] SHA-256: {digest}"


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
