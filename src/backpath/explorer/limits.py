"""The limits of the explorer: enough to see and to learn from, too little to harm its server."""

from __future__ import annotations

SESSIONS = 100
IDLE_SECONDS = 5 * 60  # without a message from the page, which sends one every 15 seconds
RUN_SECONDS = 60  # a run continues while its page is disconnected; then it pauses until the page is back
AWAY_SECONDS = 15 * 60  # a session waits for its page to reconnect
FRAME_BYTES = 512 * 1024  # in a message from the page: 5,000 points as text
UPLOAD_BYTES = 25 * 2**20
MODEL_BYTES = 4 * 2**20
KEPT_BYTES = 32 * 2**20  # in a session that a page restores
BODY_SECONDS = 60  # for an upload to arrive; a sixth of it for a header
UPLOADS_AT_ONCE = 2
TABLE_SECONDS = 30
TABLE_BYTES = 2 * 2**30  # memory of the process that reads a table
UNPACKED_BYTES = 512 * 2**20  # of a compressed table after decompression
COLUMNS = 1000
NOTE = 2000  # characters in the notes on a table

LAYERS = 12  # after the inputs
NEURONS = 256  # in a layer
WEIGHTS = 20_000
OWN_DATA = 6  # the user's tables and drawings that stay in the list of data
POINTS = 5000  # drawn or typed; a table may have more
NUMBERS = 1_000_000  # in X and y together
WORK = 50_000_000  # weights times rows: an epoch of it takes about a tenth of a second
LARGEST = 1e9  # size of a typed number

UNDO, UNDO_LEAST = 50, 5
UNDO_WEIGHTS = 200_000  # in all scenes that Undo keeps
CURVE = 2000  # points of the cost curve
SNAPSHOTS = 200  # of the weights, for the scrubber
SNAPSHOT_BYTES = 4 * 2**20  # all of them together
SHOWN_ROWS = 500
LINKED_POINTS, LINKED_WEIGHTS = 200, 2000
DRAWN_LAYERS, DRAWN_NEURONS = 7, 16  # layers after the inputs, and neurons in a layer, that are drawn in full
DRAWN_OF_MORE = 12  # neurons drawn of a larger layer
STEPPED_ROWS = 5000  # in a batch whose step is shown
CHECKED_WEIGHTS, CHECKED = 700, 20_000  # weights, and weights times rows, of a diagnosis: some seconds
RESOLUTION = 64
SPEED = 1_000_000  # epochs a second, the highest speed that can be set

FRAMES = 30  # a second, at most


def for_the_page() -> dict[str, int]:
    """The limits that the page checks itself."""
    return {
        "upload_bytes": UPLOAD_BYTES,
        "model_bytes": MODEL_BYTES,
        "frame_bytes": FRAME_BYTES,
        "layers": LAYERS,
        "neurons": NEURONS,
        "weights": WEIGHTS,
        "points": POINTS,
        "linked_points": LINKED_POINTS,
        "linked_weights": LINKED_WEIGHTS,
        "shown_rows": SHOWN_ROWS,
        "resolution": RESOLUTION,
        "speed": SPEED,
    }
