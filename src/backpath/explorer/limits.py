"""How much of everything the explorer takes: enough to see and to learn from, too little to harm its server."""

from __future__ import annotations

SESSIONS = 100
IDLE_SECONDS = 5 * 60  # without a message from the page, which sends one every quarter of a minute
RUN_SECONDS = 60  # that a run goes on while its page is away; after that it rests until the page is back
AWAY_SECONDS = 15 * 60  # that a session waits for its page to come back
FRAME_BYTES = 512 * 1024  # of a message from the page: 5,000 points as text
UPLOAD_BYTES = 25 * 2**20
MODEL_BYTES = 4 * 2**20
KEPT_BYTES = 32 * 2**20  # of a session that a page brings back
BODY_SECONDS = 60  # for an upload to arrive; a header has a sixth of it
UPLOADS_AT_ONCE = 2
TABLE_SECONDS = 30
TABLE_BYTES = 2 * 2**30  # of memory, for the process that reads a table
UNPACKED_BYTES = 512 * 2**20  # of a table that was packed
COLUMNS = 1000
NOTE = 2000  # characters of what is to be known of a table

LAYERS = 12  # after the inputs
NEURONS = 256  # in a layer
WEIGHTS = 20_000
OWN = 6  # tables and drawings of one's own that stay in the list of data
POINTS = 5000  # drawn or typed; a table may have more
NUMBERS = 1_000_000  # in X and y together
WORK = 50_000_000  # weights times rows: an epoch of it takes about a tenth of a second
LARGEST = 1e9  # of any number that is typed

UNDO, UNDO_LEAST = 50, 5
UNDO_WEIGHTS = 200_000  # in all scenes that are kept for Undo
CURVE = 2000  # points of the cost curve
SNAPSHOTS = 200  # of the weights, for the scrubber
SNAPSHOT_BYTES = 4 * 2**20  # all of them together
SHOWN_ROWS = 500
LINKED_POINTS, LINKED_WEIGHTS = 200, 2000
DRAWN_LAYERS, DRAWN_NEURONS = 7, 16  # layers after the inputs, neurons in a layer, that are drawn whole
DRAWN_OF_MORE = 12  # neurons of a layer that has more
STEPPED_ROWS = 5000  # of a batch whose step is shown
CHECKED_WEIGHTS, CHECKED = 700, 20_000  # weights, and weights times rows, of a diagnosis: some seconds
RESOLUTION = 64
SPEED = 1_000_000  # epochs a second, at most, where a speed is given

FRAMES = 30  # a second, at most


def for_the_page() -> dict[str, int]:
    """What the page has to know before it asks."""
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
