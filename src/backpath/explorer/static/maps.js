// A small map inside each neuron, of its output over the plane of the two inputs.
import { byId, setAttribute, svg } from "./dom.js";
import { on, page, quietly } from "./page.js";
import { picture } from "./picture.js";
import { shadeBytes } from "./surface.js";

const EVERY = 200; // milliseconds between two requests
const SIZE = 20;
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [SIZE, SIZE];
let asking = false;
let next = 0;

const wanted = () => byId("show-maps").checked && page.view?.state.sizes[0] === 2 && picture.root !== null;

/** A neuron's map as an image: one of 256 shades for each place. */
function imageOf(text) {
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(SIZE, SIZE);
  shadeBytes(text, new Uint32Array(pixels.data.buffer));
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

function place(node) {
  const { x, y, w, h } = node;
  const clip = `map-${node.key}`;
  node.map = svg("image", { class: "map", x: x - w / 2, y: y - h / 2, width: w, height: h, preserveAspectRatio: "none", "clip-path": `url(#${clip})`, "aria-hidden": "true" });
  const shape = svg("clipPath", { id: clip }, svg("rect", { x: x - w / 2 + 1, y: y - h / 2 + 1, width: w - 2, height: h - 2, rx: h / 2 }));
  node.button.after(shape, node.map);
  node.map.setAttribute("pointer-events", "none");
}

function show(maps) {
  picture.root.classList.add("mapped");
  for (const [name, text] of Object.entries(maps)) {
    const node = picture.nodes.get(name);
    if (!node) continue;
    if (!node.map) place(node);
    setAttribute(node.map, "href", imageOf(text));
  }
}

function clear() {
  picture.root?.classList.remove("mapped");
  for (const element of picture.root?.querySelectorAll(".map, clipPath") ?? []) element.remove();
  for (const node of picture.nodes.values()) delete node.map;
}

async function ask() {
  if (!wanted()) {
    clear();
    return;
  }
  if (asking) return;
  asking = true;
  const answer = await quietly("maps", { resolution: SIZE });
  asking = false;
  if (answer && wanted()) show(answer.maps);
}

function follow({ state, drawn }) {
  byId("maps-field").hidden = state.sizes[0] !== 2 || drawn === "summary";
  ask();
}

export function startMaps() {
  byId("show-maps").addEventListener("change", ask);
  on("drawn", follow);
  on("frame", () => {
    if (!wanted() || performance.now() < next) return;
    next = performance.now() + EVERY;
    ask();
  });
  on("theme", ask);
  if (page.view) follow(page.view);
}
