// The connection: requests with answers, events from the server, and reconnecting.

/** The tab's storage; empty if the browser denies it to a page in another page's frame, as in a notebook. */
function storage() {
  try {
    sessionStorage.getItem("token");
    return sessionStorage;
  } catch {
    const found = new Map();
    return { getItem: (key) => found.get(key) ?? null, setItem: (key, value) => found.set(key, value), removeItem: (key) => found.delete(key) };
  }
}
export const kept = storage();

// The token is in the address once. Then the tab stores it, and it is removed from the address bar.
const query = new URLSearchParams(location.search);
if (query.has("token")) {
  kept.setItem("token", query.get("token"));
  if (kept instanceof Storage) history.replaceState(null, "", location.pathname + location.hash);
}
const token = kept.getItem("token") ?? "";

/** An address on this server, with the token. */
export function address(path, more = {}) {
  return `${path}?${new URLSearchParams({ token, ...more })}`;
}

const open = () => {
  const resume = kept.getItem("session");
  return new WebSocket(`ws://${location.host}${address("/ws", resume ? { resume } : {})}`);
};

const ELSEWHERE = 4001; // the session is open in another tab; without this, two tabs would take it from each other endlessly
const PING = 15_000;
const PATIENCE = 10_000; // milliseconds for the answer to a ping; a busy server answers later, but not that late
const PAUSES = [500, 1000, 2000, 4000, 5000];

// opened at once, while the other modules still load; messages wait for them
let socket = open();
const early = [];
const wait = (event) => early.push(event);
for (const kind of ["message", "close"]) socket.addEventListener(kind, wait);

const waiting = new Map();
let last = 0;

/** Sends a request; rejects with the server's error, or if there is no connection. */
export function ask(what, details = {}) {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== WebSocket.OPEN) {
      reject(new Error("There is no connection to the explorer at the moment; reconnecting"));
      return;
    }
    last += 1;
    waiting.set(last, { resolve, reject });
    socket.send(JSON.stringify({ id: last, do: what, ...details }));
  });
}

/** Opens the session: calls heard(event) for each event, and report(line, over) with the state of the connection. */
export function connect(heard, report) {
  const ended = new WeakSet();
  let tries = 0;
  let greeted = false;

  function receive({ data }) {
    const frame = JSON.parse(data);
    if (frame.event === "hello") {
      if (tries) report("", false);
      tries = 0;
      greeted = true;
      kept.setItem("session", frame.session);
    }
    if (frame.event) {
      heard(frame);
      return;
    }
    const question = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (!question) return;
    if (frame.error) question.reject(new Error(frame.error));
    else question.resolve(frame.ok);
  }

  function again() {
    if (socket.readyState < WebSocket.CLOSING) return;
    socket = open();
    listen();
  }

  function end({ code, target }) {
    if (target !== socket || ended.has(target)) return;
    ended.add(target);
    for (const { reject } of waiting.values()) reject(new Error("The connection to the explorer was lost"));
    waiting.clear();
    if (code === ELSEWHERE) {
      kept.removeItem("session");
      report("This session has been opened in another tab. Reload the page to start another one here.", true);
      return;
    }
    const pause = PAUSES[Math.min(tries, PAUSES.length - 1)];
    tries += 1;
    const why = !token ? "Open the address that backpath explore printed: it contains the token."
      : greeted ? "The connection to the explorer was lost. Reconnecting; your work is kept."
        : "The explorer does not answer, or has too many pages open. Trying again.";
    report(why, !token);
    if (token) setTimeout(again, pause);
  }

  function listen() {
    socket.addEventListener("message", receive);
    socket.addEventListener("close", end);
  }

  /** If the server hangs, or the machine has slept, the socket is not closed; only the missing answers show it. */
  async function ping() {
    if (socket.readyState !== WebSocket.OPEN) return;
    const asked = socket;
    const late = setTimeout(() => {
      if (asked !== socket || asked.readyState !== WebSocket.OPEN) return;
      report("The explorer does not respond. Waiting for it …", false);
      tries = Math.max(tries, 1);
      asked.close();
      end({ code: 0, target: asked });
    }, PATIENCE);
    await ask("ping").catch(() => null);
    clearTimeout(late);
  }

  for (const kind of ["message", "close"]) socket.removeEventListener(kind, wait);
  listen();
  queueMicrotask(() => early.forEach((event) => (event.type === "close" ? end(event) : receive(event))));
  setInterval(ping, PING);
  addEventListener("online", again);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    again();
    ping();
  });
}
