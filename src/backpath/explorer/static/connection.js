// The websocket: questions with answers, and what the server pushes.

const token = new URLSearchParams(location.search).get("token") ?? "";

/** An address of this server with the token. */
export function address(path, query = {}) {
  return `${path}?${new URLSearchParams({ token, ...query })}`;
}

// opened at once, while the other modules are still on their way; what comes meanwhile waits for them
const socket = new WebSocket(`ws://${location.host}${address("/ws")}`);
const early = [];
const wait = (event) => early.push(event);
for (const kind of ["message", "close"]) socket.addEventListener(kind, wait);

/** Takes up the session: calls heard(event) for each push, lost(line) when the connection ends. */
export function connect(heard, lost) {
  const waiting = new Map();
  let last = 0;
  let greeted = false;

  function receive({ data }) {
    const frame = JSON.parse(data);
    if (frame.event) {
      greeted = true;
      heard(frame);
      return;
    }
    const question = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (!question) return;
    if (frame.error) question.reject(new Error(frame.error));
    else question.resolve(frame.ok);
  }

  function end({ reason }) {
    for (const { reject } of waiting.values()) reject(new Error("the connection has ended"));
    waiting.clear();
    const why = greeted ? "The connection to the explorer has ended" : "The explorer does not take another page now";
    lost(`${reason || why}. Reload the page to begin again: the address keeps your state.`);
  }

  const listeners = { message: receive, close: end };
  for (const [kind, listener] of Object.entries(listeners)) {
    socket.removeEventListener(kind, wait);
    socket.addEventListener(kind, listener);
  }
  queueMicrotask(() => early.forEach((event) => listeners[event.type](event))); // once the caller has what is returned

  return (what, details = {}) =>
    new Promise((resolve, reject) => {
      if (socket.readyState !== WebSocket.OPEN) {
        reject(new Error("there is no connection; reload the page"));
        return;
      }
      last += 1;
      waiting.set(last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, do: what, ...details }));
    });
}
