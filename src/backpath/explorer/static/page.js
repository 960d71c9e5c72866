// What the page knows, who is notified when it changes, and how it asks the server.
import { ask, connect } from "./connection.js";
import { byId, setText } from "./dom.js";

/** view: the server's last View; chosen: the weight or neuron looked at; values: the weights as they are now. */
export const page = { view: null, choices: null, session: null, chosen: null, running: false };

const listeners = new Map();

/** A listener that comes late sees at once where things stand. */
export function on(event, listener) {
  listeners.set(event, [...(listeners.get(event) ?? []), listener]);
  if (event === "view" && page.view) listener(page.view);
}

export function emit(event, detail) {
  for (const listener of listeners.get(event) ?? []) listener(detail);
}

/** Shows a message, to screen readers too. */
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

/** Asks the server; an error is shown, and the answer is null. */
export async function act(what, details) {
  try {
    const answer = await ask(what, details);
    if (answer?.state) {
      setText(byId("error"), ""); // what was refused before has been put right
      showView(answer);
    }
    return answer;
  } catch (problem) {
    complain(problem.message);
    return null;
  }
}

/** Asks without a message where it fails: for what the page asks of itself. */
export const quietly = (what, details) => ask(what, details).catch(() => null);

/** Looks at a weight or a neuron. */
export function choose(name, kind) {
  page.chosen = name ? { name, kind } : null;
  emit("chosen", page.chosen);
}

let frame = null;
function drawFrame() {
  const latest = frame;
  frame = null;
  if (latest && page.running && page.view) emit("frame", latest); // a page that is coming back has no view yet
}

/** Several frames between two drawings become one: the newest numbers, all the costs. */
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
