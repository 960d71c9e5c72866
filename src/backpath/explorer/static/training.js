// Train, Pause, Reset, and the settings beside them.
import { byId, fillSelect, html, onSetting, setText, showSetting } from "./dom.js";
import { act, on, page, say } from "./page.js";

const speed = () => {
  const chosen = byId("speed").value;
  return chosen === "max" ? "max" : Number(chosen);
};

const show = (running) => {
  byId("pause").disabled = !running;
  byId("train").disabled = page.view?.data.typed ?? false; // no samples to train on
  byId("train").classList.toggle("on", running);
};

async function train() {
  if (page.running) return;
  const answer = await act("train", { speed: speed(), until_solved: true });
  if (!answer) return;
  showOutcome("", "", []);
  page.running = true;
  show(true);
}

const at = ({ history, data, step }) => `${history.epoch} ${data.key ?? data.name} ${step.phase}`;
let outcomeAt = ""; // the state of the page that the message is about

/** The outcome of a run, with remedies of one click each. */
function showOutcome(why, message, tries) {
  const host = byId("outcome");
  host.className = why;
  host.replaceChildren(...(message ? [html("p", {}, message)] : []), ...tries.map((one) => {
    const button = html("button", { type: "button" }, one.label);
    button.addEventListener("click", async () => {
      if (Object.keys(one.set).length && !(await act("set", one.set))) return;
      if (one.reset) await act("reset");
      train();
    });
    return button;
  }));
  if (message) host.append(html("button", { type: "button", class: "small", "aria-label": "Close this message", onclick: () => (host.hidden = true) }, "×"));
  host.hidden = !message;
  outcomeAt = at(page.view);
}

async function pause() {
  await act("pause");
  byId("train").focus();
}

/** Sets a field of the state on blur or Enter; an error restores the old value. */
function settle(id, key, read) {
  onSetting(byId(id), async (typed) => {
    if (!(await act("set", { [key]: read(typed) }))) showSettings(page.view);
  });
}

/** A typed number; anything else is sent to the server unchanged, because its error suggests a remedy. */
export const number = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : text);

function showSettings({ state }) {
  const fields = { "learning-rate": state.learning_rate, "batch-size": state.batch_size ?? "" };
  for (const [id, value] of Object.entries(fields)) showSetting(byId(id), value);
  fillSelect(byId("solver"), page.choices.solvers.map(({ name }) => [name, SOLVERS[name] ?? name]), state.solver);
}

const SOLVERS = { gd: "gradient descent", momentum: "momentum", adam: "Adam" };

export function startTraining() {
  byId("train").addEventListener("click", train);
  byId("pause").addEventListener("click", pause);
  byId("reset").addEventListener("click", () => {
    showOutcome("", "", []);
    act("reset");
  });
  byId("speed").addEventListener("change", () => page.running && act("train", { speed: speed(), until_solved: true }));
  settle("learning-rate", "learning_rate", number);
  settle("batch-size", "batch_size", (text) => (text === "" || text === "all" ? null : number(text)));
  settle("solver", "solver", (text) => text);
  on("view", (view) => {
    if (!byId("outcome").hidden && at(view) !== outcomeAt) showOutcome("", "", []);
    showSettings(view);
    show(view.running);
  });
  on("frame", ({ epochs_per_second: rate }) => setText(byId("rate"), Math.round(rate).toLocaleString("en")));
  on("running", () => show(true));
  on("stopped", ({ why, message, tries }) => {
    show(false);
    if (["solved", "plateau", "diverged"].includes(why)) showOutcome(why, message, tries);
    else if (message) say(message);
  });
  on("running", () => showOutcome("", "", []));
}
