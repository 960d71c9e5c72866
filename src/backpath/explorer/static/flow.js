// At the slow speed, a step moves along the edges: forward, layer by layer, to the cost, and back.
import { byId, svg } from "./dom.js";
import { on } from "./page.js";
import { picture } from "./picture.js";
import { flows, showLive } from "./step.js";

const REST = 300; // milliseconds between the update of the weights and the first layer
const [WHOLE, LEAST] = [3300, 260]; // milliseconds for all layers in both directions, and for one
const still = matchMedia("(prefers-reduced-motion: reduce)");
let timers = [];
let pulses = null;

function stop() {
  timers.forEach(clearTimeout);
  timers = [];
  pulses?.remove();
  pulses = null;
}

/** Dashes that run along a layer's edges; with reduced motion, the edges are only marked. */
function pulse(layer, direction) {
  pulses?.remove();
  const edges = [...picture.edges.values()].filter(({ to }) => to.layer === layer);
  const lines = edges.map(({ x1, y1, x2, y2 }) => svg("line", { class: `pulse ${direction}`, x1, y1, x2, y2 }));
  pulses = svg("g", { class: still.matches ? "still" : "" }, ...lines);
  picture.root.insertBefore(pulses, picture.root.querySelector(".neurons"));
}

function play(live) {
  stop();
  const layers = picture.columns.length - 2;
  const each = Math.max(LEAST, WHOLE / (2 * layers + 1));
  let at = REST;
  const later = (act) => {
    timers.push(setTimeout(act, at));
    at += each;
  };
  showLive(live, { forward: 0, cost: false, backward: layers + 1 });
  for (let layer = 1; layer <= layers; layer += 1) {
    later(() => {
      pulse(layer, "forward");
      showLive(live, { forward: layer, cost: false, backward: layers + 1 });
    });
  }
  later(() => {
    pulses?.remove();
    showLive(live, { backward: layers + 1 });
  });
  for (let layer = layers; layer >= 1; layer -= 1) {
    later(() => {
      pulse(layer, "backward");
      showLive(live, { backward: layer });
    });
  }
  timers.push(setTimeout(stop, at + each));
}

export function startFlow() {
  on("frame", ({ live }) => live && flows() && play(live));
  on("stopped", stop);
  on("view", ({ running }) => running || stop());
  byId("speed").addEventListener("change", stop);
}
