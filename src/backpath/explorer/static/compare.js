// Pinned runs: their curves and answers stay visible beside those of later runs.
import { byId, html } from "./dom.js";
import { emit, page, say } from "./page.js";

const MOST = 3;
const DASHES = [[7, 4], [2, 3], [10, 3, 2, 3]];
/** {name, costs: [[epoch, cost] …], surface: a canvas's data URL, dash} */
export const pins = [];

const words = ({ sizes, learning_rate: rate, solver, seed }) => `${sizes.join("-")}, η ${rate}, ${solver === "gd" ? "" : `${solver}, `}seed ${seed}`;

function pin(costs) {
  const { state, history } = page.view;
  if (costs.length < 2) {
    say("Train first: there is no curve to keep yet");
    return;
  }
  if (pins.length === MOST) pins.shift();
  const dash = DASHES.find((choice) => pins.every((other) => other.dash !== choice));
  const last = costs.at(-1);
  pins.push({ name: words(state), epoch: last[0] ?? history.epoch, cost: last[1], costs: costs.map((pair) => [...pair]), surface: thumbnail(), dash });
  show();
  emit("pins");
  say("This run is kept for comparison: change the seed, the rate or the layers, and train again");
}

function thumbnail() {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [120, 120];
  copy.getContext("2d").drawImage(byId("surface"), 0, 0, 120, 120);
  return copy.toDataURL();
}

function row(one, k) {
  const remove = html("button", { type: "button", class: "small", "aria-label": `Unpin ${one.name}` }, "×");
  remove.addEventListener("click", () => {
    pins.splice(k, 1);
    show();
    emit("pins");
  });
  const dashes = html("span", { "aria-hidden": "true" }, ["╌", "┈", "╍"][DASHES.indexOf(one.dash)]);
  return html("li", {}, html("img", { src: one.surface, width: 42, height: 42, alt: "Its answers" }), dashes, html("span", { class: "what" }, `${one.name}: ${one.cost.toPrecision(3)}`), remove);
}

function show() {
  byId("pins").replaceChildren(...pins.map(row));
  byId("pins").hidden = !pins.length;
}

/** Restores what a tab has stored. */
export function setPins(kept) {
  pins.splice(0, pins.length, ...kept.map((one, k) => ({ ...one, dash: DASHES[k % DASHES.length] })));
  show();
  emit("pins");
}

export function startCompare(costsNow) {
  byId("pin").addEventListener("click", () => pin(costsNow()));
}
