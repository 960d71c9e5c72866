// The network as the notes draw it: neurons with u and σ(u), edges with their weights.
import { alike, brief, byId, compact, setAttribute, setText, shown, svg } from "./dom.js";
import { openEditor } from "./editor.js";
import { distance, labelLayer, pointAt } from "./labels.js";
import { biasKey, edgeEnds, layOut } from "./layout.js";
import { choose, emit, on, page } from "./page.js";
import { byName, drawSummary } from "./summary.js";
import { classVariable } from "./surface.js";

const NEAR = 12; // pixels within which a click hits an edge
const picture = { root: null, nodes: new Map(), edges: new Map(), layers: [], drawnFor: "" };
export { picture };

const subscript = (name) => name.replace("~", "∼");
export const weightWidth = (value) => (0.8 + (7 * Math.abs(value)) / (Math.abs(value) + 3)).toFixed(2);

/** The item with a name of the server's: a weight, a neuron, C, or "1", the bias neuron of the selected weight. */
export function item(name) {
  if (name === "1" && page.chosen) {
    const to = picture.edges.get(page.chosen.name)?.to;
    return to && picture.nodes.get(biasKey(to.layer - 1));
  }
  return picture.nodes.get(name) ?? picture.edges.get(name);
}

function textLine(className, x, y, text = "", anchor = "middle") {
  return svg("text", { class: className, x, y, "text-anchor": anchor, "aria-hidden": "true" }, text);
}

/** Boxes of neurons and grips of edges are buttons: one of them is in the tab order, and arrow keys move between them. */
const BUTTON = { role: "button", tabindex: "-1" };

function drawNode(node, labels, full) {
  const { key, named, x, y, w, h } = node;
  const bias = key.startsWith("1_");
  const name = bias ? "1" : key;
  const [left, top] = [x - w / 2, y - h / 2];
  const box = svg("rect", { class: "body", ...BUTTON, x: left, y: top, width: w, height: h, rx: key === "C" ? 6 : h / 2 });
  const group = svg("g", { class: "neuron", "data-neuron": name, "data-layer": node.layer }, box);
  Object.assign(node, { element: group, button: box });
  if (bias) {
    group.classList.add("bias");
    group.append(textLine("only", x, y + 5, "1"));
    setAttribute(box, "aria-label", `bias neuron 1 of layer ${node.layer + 1}`);
    return node;
  }
  const label = labels?.[key];
  const kind = key === "C" ? "cost" : node.layer === 0 ? "input" : "unit";
  group.classList.add(kind);
  group.append(svg("title", { "aria-hidden": "true" }, label ? `${key}: ${label}` : key));
  const boxed = full || kind === "cost";
  const title = kind === "cost" ? "cost" : shortened(label ? `${key} ${label}` : key, node.letters);
  const atLeft = label && node.layer === 0; // a long name would extend beyond the picture
  if (boxed || named) group.append(textLine("name", atLeft ? left : x, top - 8, title, atLeft ? "start" : "middle"));
  else if (label && node.beside) group.append(nameBeside(node, shortened(label, node.letters)));
  if (label && isClass(node)) group.querySelector(".name, .beside")?.prepend(classMark(key));
  const inset = boxed && kind !== "input" ? 12 : 0;
  node.lines = {};
  if (!inset) {
    node.lines.a = textLine("only", x, y + 5, boxed || named ? "–" : key);
  } else {
    const marks = kind === "cost" ? ["y", "C"] : ["u", "σ"];
    node.lines = {
      u: textLine("number", left + w - inset, y - 6, "–", "end"),
      a: textLine("number", left + w - inset, y + 15, "–", "end"),
    };
    group.append(textLine("mark", left + inset, y - 6, marks[0], "start"));
    group.append(textLine("mark", left + inset, y + 15, marks[1], "start"));
    group.append(svg("line", { class: "halves", x1: left, x2: left + w, y1: y, y2: y }));
  }
  if (boxed) {
    node.lines.delta = textLine("delta", x, top + h + 15);
    node.lines.was = textLine("was", x, top + h + 30);
    node.lines.slope = textLine("slope", x, top + h + 30);
  }
  group.append(...Object.values(node.lines));
  return node;
}

/** A name, shortened if there is too little room; the tooltip has the whole name. */
const shortened = (name, letters) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name);

const isClass = ({ layer }) => layer === page.view.layers.length - 1 && page.view.data.kind === "classification";

/** The shape and colour of a class's points. */
function classMark(key) {
  const kind = Number(key.slice(1)) - 1;
  return svg("tspan", { fill: `var(--${classVariable(kind)})` }, `${["■", "●", "▲"][kind % 3]} `);
}

function nameBeside({ x, y, w, beside }, name) {
  return beside === "left" ? textLine("beside", x - w / 2 - 5, y + 4, name, "end") : textLine("beside", x + w / 2 + 5, y + 4, name, "start");
}

/** A bar along the edge around its number, which takes the focus and clicks. */
function grip({ x1, y1, x2, y2, t, reach: side, name }) {
  const [long, reach] = [Math.hypot(x2 - x1, y2 - y1) || 1, Math.min(t, 1 - t, 0.2)];
  const [nx, ny] = [(-(y2 - y1) / long) * side, ((x2 - x1) / long) * side];
  const [a, b] = [pointAt({ x1, y1, x2, y2 }, t - reach), pointAt({ x1, y1, x2, y2 }, t + reach)];
  const corners = [[a.x + nx, a.y + ny], [b.x + nx, b.y + ny], [b.x - nx, b.y - ny], [a.x - nx, a.y - ny]];
  const points = corners.map((corner) => corner.map((c) => c.toFixed(1)).join(",")).join(" ");
  return svg("polygon", { class: "grip", ...BUTTON, "data-weight": name, points });
}

function drawEdge(weight, nodes, upright) {
  const to = nodes.get(weight.to);
  const from = nodes.get(weight.from === "1" ? biasKey(to.layer - 1) : weight.from);
  const ends = edgeEnds(from, to, upright);
  return { name: weight.name, from, to, ...ends, line: svg("line", { class: "edge", ...ends }) };
}

function finishEdge(edge) {
  edge.element = grip(edge);
  edge.button = edge.element;
  const { x, y } = pointAt(edge, edge.t);
  edge.label = svg("g", { class: edge.labelled ? "label" : "label crowded" });
  edge.value = textLine("value", x, y + 4);
  edge.second = textLine("second", x, y + 18);
  const nameless = edge.labelled && !edge.named;
  const instead = looks.instead && looks.names && nameless;
  edge.title = textLine("weight-name", x, instead ? y + 4 : y - 10, looks.names ? subscript(edge.name) : "");
  const kinds = { short: edge.labelled && edge.short, rough: edge.labelled && edge.rough, instead, nameless: nameless && !instead };
  for (const [kind, on] of Object.entries(kinds)) edge.label.classList.toggle(kind, on);
  edge.label.append(edge.second, edge.value, edge.title);
}

/** names: whether the names of weights are above their numbers; instead: or, without room for both, in their place. */
export const looks = { names: false, instead: true };
const FIXED = matchMedia("(width >= 1100px), (width < 560px)"); // here the picture fills its place; otherwise it is as high as it needs
const FORM = 64; // pixels under the picture, if not all of it is drawn
const room = (host) => [host.clientWidth, FIXED.matches ? host.clientHeight - (page.view.drawn === "part" ? FORM : 0) : 0];

/** A note that a layer has more neurons than are drawn. */
function moreNote(layer, more, nodes, height) {
  const { x } = [...nodes.values()].find((node) => node.layer === layer);
  return svg("text", { class: "more", x, y: height + 9, "text-anchor": "middle" }, `⋯ and ${more} more`);
}

function build(view) {
  const host = byId("picture");
  const layout = layOut(view.layers, ...room(host), view.state.biases, view.labels ?? {});
  const { width, height, scale, upright, full, tight, nodes } = layout;
  const foot = view.drawn === "part" ? 14 : 0;
  const edges = view.weights.map((weight) => drawEdge(weight, nodes, upright));
  for (let layer = 1; layer < view.layers.length; layer += 1) {
    const between = edges.filter((edge) => edge.to.layer === layer);
    labelLayer(between, tight ? { w: 56, h: 14, clear: 1 } : { w: full ? 68 : 72, h: 15 }, full && !tight, upright, looks.names);
    for (const { line } of between) line.classList.toggle("dense", between.length > 100);
  }
  for (const edge of edges) finishEdge(edge);
  const outputs = view.layers.at(-1).map((name) => edgeEnds(nodes.get(name), nodes.get("C"), upright));
  for (const node of nodes.values()) drawNode(node, view.labels, full);
  const root = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height + foot}`, width: width * scale, height: (height + foot) * scale, role: "group", "aria-label": "The network" },
    svg("g", { class: "edges" }, ...outputs.map((ends) => svg("line", { class: "to-cost", ...ends }))),
    svg("g", { class: "grips" }, ...edges.map((edge) => edge.element)),
    svg("g", { class: "neurons" }, ...[...nodes.values()].map((node) => node.element)),
    svg("g", { class: "labels" }, ...edges.map((edge) => edge.label)),
    svg("g", { class: "pointer", "aria-hidden": "true" }, svg("rect", { rx: 14 })),
  );
  root.firstChild.append(...edges.map((edge) => edge.line));
  root.classList.toggle("small", !full);
  root.classList.toggle("tight", tight);
  Object.assign(picture, { root, edges: new Map(edges.map((edge) => [edge.name, edge])), ...layout });
  for (const [layer, more] of view.more.entries()) if (more) root.append(moreNote(layer, more, nodes, height));
  picture.columns = [...view.layers, ["C"]].map((_, k) => [...nodes.values()].filter((node) => node.layer === k));
  host.replaceChildren(root, ...(view.drawn === "part" ? [byName()] : []));
  byId("picture").append(byId("weight-editor") ?? "");
  followPointer(root);
  emit("built", root);
}

/** The edge or neuron at a place of the picture; the nearest of crossing edges. */
function at(event) {
  const neuron = event.target.closest?.("[data-neuron]");
  if (neuron) return [...picture.nodes.values()].find((node) => node.element === neuron);
  const matrix = picture.root.getScreenCTM().inverse();
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
  const own = picture.edges.get(event.target.dataset?.weight);
  let [best, least] = own ? [own, distance(own, point) - 1] : [null, NEAR];
  for (const edge of picture.edges.values()) {
    const far = distance(edge, point);
    if (far < least) [best, least] = [edge, far];
  }
  return best;
}

export const nameOf = (thing) => thing?.name ?? (thing?.key.startsWith("1_") ? "1" : thing?.key);

export function look(thing) {
  if (!thing || thing.key === "C" || thing.key?.startsWith("1_")) return;
  if (thing.name) choose(thing.name, "weight");
  else choose(thing.key, "neuron");
  inTabOrder(thing.button);
}

/** One item of the picture is in the tab order: the last one with the focus. */
export function inTabOrder(element) {
  picture.root.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
  element.setAttribute("tabindex", "0");
}

function followPointer(root) {
  let over = null;
  const hover = (thing) => {
    if (thing === over) return;
    for (const each of [over, thing]) each && (each.line ?? each.element).classList.toggle("hover", each === thing);
    over?.label?.classList.remove("hover");
    showNumber(over, over?.brief);
    showNumber(thing);
    thing?.label?.classList.add("hover");
    over = thing;
    root.classList.toggle("pointing", Boolean(thing));
    emit("hovered", thing ? nameOf(thing) : null);
  };
  root.addEventListener("pointermove", (event) => hover(at(event)));
  root.addEventListener("pointerleave", () => hover(null));
  root.addEventListener("click", (event) => look(at(event)));
  root.addEventListener("dblclick", (event) => {
    const thing = at(event);
    if (thing?.name) openEditor(thing);
  });
}

/** Updates a weight's number, colour and width if they changed. */
export function showWeight(edge, value, text) {
  if (edge.shown === text) return;
  edge.shown = text;
  if (edge.negative !== value < 0) {
    edge.negative = value < 0;
    edge.line.classList.toggle("negative", edge.negative);
    edge.line.classList.toggle("positive", !edge.negative);
  }
  setAttribute(edge.line, "stroke-width", weightWidth(value));
  edge.exact = compact({ value, text });
  edge.brief = edge.rough && edge.labelled ? brief(value) : edge.exact;
  if (edge.labelled || edge.label.classList.length > 2) setText(edge.value, edge.brief);
}

/** A hidden number is written when its edge is selected, because writing hundreds takes long. */
export function showNumber(edge, text = edge?.exact) {
  if (edge?.value) setText(edge.value, text);
}

/** Names for screen readers; not while training, because they change too fast. */
function nameEdges() {
  for (const edge of picture.edges.values()) {
    const from = edge.from.key.startsWith("1_") ? "the bias neuron" : edge.from.key;
    setAttribute(edge.element, "aria-label", `weight ${subscript(edge.name)} from ${from} to ${edge.to.key}: ${edge.shown}`);
  }
}

function draw(view) {
  const host = byId("picture");
  if (view.drawn === "summary") {
    Object.assign(picture, { nodes: new Map(), edges: new Map(), root: null, drawnFor: "" });
    drawSummary(host, view);
    emit("drawn", view);
    return;
  }
  const drawnFor = JSON.stringify([view.layers, view.labels, room(host), view.state.biases, looks]);
  if (drawnFor !== picture.drawnFor) {
    picture.drawnFor = drawnFor;
    const focused = [...picture.nodes.values(), ...picture.edges.values()].find(({ button }) => button === document.activeElement);
    build(view);
    inTabOrder(picture.edges.values().next().value.button);
    if (focused) (picture.edges.get(focused.name) ?? picture.nodes.get(focused.key))?.button.focus();
    mark();
  }
  for (const weight of view.weights) showWeight(picture.edges.get(weight.name), weight.value, alike([weight])[0]);
  nameEdges();
  emit("drawn", view);
}

/** Marks the selection. */
function mark() {
  for (const node of picture.nodes.values()) node.element.classList.toggle("chosen", page.chosen?.name === node.key);
  for (const edge of picture.edges.values()) {
    if (page.chosen?.name === edge.name) showNumber(edge);
    for (const part of [edge.line, edge.label, edge.element]) part.classList.toggle("chosen", page.chosen?.name === edge.name);
  }
}

const middleOf = (edge) => pointAt(edge, edge.t);

/** Highlights the places that a factor comes from; the presenter's pointer moves to the first one. */
function light({ names }) {
  const [first] = names.map(item).filter(Boolean);
  const pointer = picture.root?.querySelector(".pointer");
  pointer?.classList.toggle("on", Boolean(first));
  if (first) {
    const { x, y, w = 84, h = 10 } = first.name ? middleOf(first) : first;
    const [wide, high, below] = picture.full && !first.name ? [w + 22, h + 68, 6] : [w + 22, h + 22, 0]; // the name above, two lines below
    for (const [name, value] of Object.entries({ x: -wide / 2, y: below - high / 2, width: wide, height: high })) pointer.firstChild.setAttribute(name, value);
    pointer.style.transform = `translate(${x}px, ${y}px)`;
  }
  for (const lit of picture.root?.querySelectorAll(".lit") ?? []) lit.classList.remove("lit");
  for (const thing of names.map(item)) {
    showNumber(thing);
    for (const part of [thing?.line, thing?.label, thing?.element]) part?.classList.add("lit");
  }
}

export function startPicture() {
  on("view", draw);
  on("chosen", mark);
  on("lit", light);
  on("frame", ({ weights }) => {
    let k = 0;
    for (const edge of picture.edges.values()) {
      const value = weights[k];
      showWeight(edge, value, shown(value));
      k += 1;
    }
  });
  byId("show-names").addEventListener("change", ({ target }) => showNames(target.checked));
  new ResizeObserver(() => page.view && draw(page.view)).observe(byId("picture"));
}

export function showNames(names, instead = true) {
  byId("show-names").checked = names;
  Object.assign(looks, { names, instead });
  if (page.view) draw(page.view);
}
