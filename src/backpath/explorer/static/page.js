// The state of the page, the listeners to its changes, and its requests to the server.
import { ask, connect } from "./connection.js";
import { byId, setText } from "./dom.js";

/** view: the server's last View; chosen: the selected weight or neuron; values: the current weights. */
export const page = { view: null, choices: null, session: null, chosen: null, running: false };

const listeners = new Map();

/** A listener that is added late gets the present state at once. */
export function on(event, listener) {
  listeners.set(event, [...(listeners.get(event) ?? []), listener]);
  if (event === "view" && page.view) listener(page.view);
}

export function emit(event, detail) {
  for (const listener of listeners.get(event) ?? []) listener(detail);
}

/** Shows a message, also to screen readers. */
export function say(line) {
  setText(byId("error"), "");
  setText(byId("message"), line);
  fade(4000);
}

export function complain(line) {
  setText(byId("message"), "");
  setText(byId("error"), line);
  fade(12_000);
}

let fading = 0;
function fade(after) {
  clearTimeout(fading);
  fading = setTimeout(() => {
    setText(byId("message"), "");
    setText(byId("error"), "");
  }, after);
}

export function showView(view) {
  page.view = view;
  page.running = view.running;
  emit("view", view);
}

/** Sends a request; an error is shown, and the answer is null. */
export async function act(what, details) {
  try {
    const answer = await ask(what, details);
    if (answer?.state) {
      setText(byId("error"), ""); // the earlier error has been resolved
      showView(answer);
    }
    return answer;
  } catch (problem) {
    complain(problem.message);
    return null;
  }
}

/** Sends a request without showing errors, for requests that the user did not make. */
export const quietly = (what, details) => ask(what, details).catch(() => null);

/** Selects a weight or a neuron. */
export function choose(name, kind) {
  page.chosen = name ? { name, kind } : null;
  emit("chosen", page.chosen);
}

let frame = null;
function drawFrame() {
  const latest = frame;
  frame = null;
  if (latest && page.running && page.view) emit("frame", latest); // a reconnecting page has no view yet
}

/** Merges several frames between two drawings: the newest numbers, and all costs. */
function keepFrame(next) {
  if (frame === null) requestAnimationFrame(drawFrame);
  else if (!next.costs) {
    next.new_costs = [...(frame.new_costs ?? []), ...(next.new_costs ?? [])];
    if (frame.costs) next.costs = frame.costs;
    next.surface ??= frame.surface;
    next.live ??= frame.live;
    next.held_out ??= frame.held_out;
    next.quality ??= frame.quality;
  }
  frame = next;
}

export function start(greeted) {
  connect((push) => {
    if (push.event === "hello") {
      page.session = push.session;
      page.choices = push.choices;
      greeted(push);
    } else if (push.event === "frame") {
      page.running = true;
      keepFrame(push);
    } else {
      if (push.view) showView(push.view);
      if (push.event === "running") page.running = true;
      if (["stopped", "running"].includes(push.event)) emit(push.event, push);
      if (push.event === "note") say(push.message);
    }
  }, (line) => {
    setText(byId("connection"), line);
    emit("connection", line === "");
  });
}
