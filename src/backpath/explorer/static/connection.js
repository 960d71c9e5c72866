// The websocket: questions with answers, and what the server pushes.

const token = new URLSearchParams(location.search).get("token") ?? "";

/** An address of this server with the token. */
export function address(path, query = {}) {
  return `${path}?${new URLSearchParams({ token, ...query })}`;
}

/** Opens the session: calls heard(event) for each push, lost(line) when the connection ends. */
export function connect(heard, lost) {
  const socket = new WebSocket(`ws://${location.host}${address("/ws")}`);
  const waiting = new Map();
  let last = 0;
  let greeted = false;

  socket.addEventListener("message", ({ data }) => {
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
  });
  socket.addEventListener("close", ({ reason }) => {
    for (const { reject } of waiting.values()) reject(new Error("the connection has ended"));
    waiting.clear();
    const why = greeted ? "The connection to the explorer has ended" : "The explorer does not take another page now";
    lost(`${reason || why}. Reload the page to begin again: the address keeps your state.`);
  });

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
