// Announcements for screen readers: one per step, and one per run.
import { byId, setText, shown } from "./dom.js";
import { on } from "./page.js";

const PASSES = { forward: "Forward", backward: "Backward", update: "Update" };

function stepWords({ phase, at, values }) {
  const number = phase === "forward" ? values[at === "C" ? "C" : at] : phase === "backward" ? values[`delta_${at}`] : null;
  const what = phase === "backward" ? `∂C/∂u of ${at}` : at;
  return `${PASSES[phase]}, up to ${what}${number ? `: ${number.text}` : ""}`;
}

export function startSpeech() {
  let last = "";
  on("view", ({ step, running }) => {
    const now = `${step.phase} ${step.at}`;
    if (!running && now !== last && PASSES[step.phase]) setText(byId("spoken"), stepWords(step));
    last = now;
  });
  on("running", () => setText(byId("spoken"), "Training"));
  on("stopped", ({ view }) => setText(byId("spoken"), `Training has stopped at epoch ${view.history.epoch.toLocaleString("en")}, mean cost ${shown(view.cost)}`));
}
