// The samples as points on the answers: selected, drawn, dragged and erased, by mouse and keyboard.
import { byId, colour, fillSelect, html, setText } from "./dom.js";
import { act, emit, on, page, say } from "./page.js";
import { axisPlaces, classColour, fromX, fromY, plane, toX, toY } from "./surface.js";

const SIZE = 6;
const NEAR = 12;
const host = byId("points");
let points = []; // {x: all inputs, y: all outputs}
let mode = "pick"; // "pick", "erase", or the number of a class to add
let dragged = null;
let cross = null; // the keyboard's cursor, in pixels

const place = ({ x, y }) => {
  const [across, up] = axisPlaces();
  return { px: toX(x[across] ?? 0), py: toY(plane.flat ? y[0] : x[up]) };
};

function nearest(px, py) {
  let [best, least] = [-1, NEAR];
  points.forEach((point, k) => {
    const at = place(point);
    const far = Math.hypot(at.px - px, at.py - py);
    if (far < least) [best, least] = [k, far];
  });
  return best;
}

/** A point's class: with one output, whether its target is high; with several, the output that should win. */
function classOf({ y }, middle) {
  return y.length > 1 ? y.indexOf(Math.max(...y)) : Number(y[0] > middle);
}

function triangle(context, px, py, size) {
  context.moveTo(px, py - size);
  context.lineTo(px + size, py + size);
  context.lineTo(px - size, py + size);
  context.closePath();
}

/** Classes differ in shape, not only in colour: squares (with one output, the low targets), circles, triangles. */
function drawPoint(context, point, isSample, middle) {
  const { px, py } = place(point);
  const kind = classOf(point, middle);
  const size = points.length > 60 ? SIZE - 2 : SIZE;
  context.beginPath();
  if (plane.flat || kind % 3 === 1) context.arc(px, py, size, 0, 2 * Math.PI);
  else if (kind % 3 === 0) context.rect(px - size + 0.5, py - size + 0.5, 2 * size - 1, 2 * size - 1);
  else triangle(context, px, py, size + 1);
  context.fillStyle = plane.flat ? colour("soft") : classColour(kind);
  context.fill();
  context.lineWidth = isSample ? 3 : 1.5;
  context.strokeStyle = colour(isSample ? "ink" : "card");
  context.stroke();
}

function drawCross(context) {
  const { px, py } = cross;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [0, 1]]) {
    context.moveTo(px - 12 * dx, py - 12 * dy);
    context.lineTo(px + 12 * dx, py + 12 * dy);
  }
  context.lineWidth = 2;
  context.strokeStyle = colour("ink");
  context.stroke();
}

function draw(context) {
  const targets = points.map(({ y }) => y[0]);
  const middle = (Math.min(...targets) + Math.max(...targets)) / 2;
  points.forEach((point, k) => drawPoint(context, point, k === page.view.sample?.index, middle));
  if (cross && document.activeElement === host) drawCross(context);
}

const canEdit = () => page.view.data.editable && !page.running;
const refuse = () => say(page.running ? "Pause first, then change the points" : "Only data with up to 500 rows can be changed here");

async function send(line) {
  const { data } = page.view;
  const sent = points.length ? await act("points", { X: points.map(({ x }) => x), y: points.map(({ y }) => y) }) : null;
  if (sent) say(`${line}; ${points.length} points now`);
  else points = data.X.map((x, k) => ({ x: [...x], y: [...data.y[k]] }));
  emit("points moved");
}

function add(px, py) {
  const inputs = axisPlaces();
  const first = points[0] ?? { x: inputs.map(() => 0), y: [0] };
  const point = { x: [...first.x].fill(0), y: [...first.y] };
  moveTo(point, px, py);
  if (!plane.flat) point.y = classTarget(Number(mode), first.y.length);
  points.push(point);
  return send("Added");
}

const classTarget = (number, outputs) => (outputs > 1 ? Array.from({ length: outputs }, (_, k) => Number(k === number)) : [number]);

function moveTo(point, px, py) {
  const [across, up] = axisPlaces();
  const round = (value) => Number(value.toFixed(3));
  const inside = (value, low, high) => round(Math.max(low, Math.min(high, value)));
  const [x0, x1, y0, y1] = plane.extent;
  point.x[across] = inside(fromX(px), x0, x1);
  if (plane.flat) point.y[0] = inside(fromY(py), y0, y1);
  else point.x[up] = inside(fromY(py), y0, y1);
}

function erase(k) {
  points.splice(k, 1);
  return send("Erased");
}

/** The action of a click or of Enter at a place. */
function use(px, py) {
  const k = nearest(px, py);
  if (mode === "erase" && k >= 0) return canEdit() ? erase(k) : refuse();
  if (mode !== "erase" && mode !== "pick") return canEdit() ? add(px, py) : refuse();
  return k >= 0 ? act("sample", { index: k }) : null;
}

const inside = (event) => {
  const frame = host.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
};

function followPointer() {
  host.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const k = mode === "pick" || plane.flat ? nearest(...inside(event)) : -1;
    dragged = { k: mode === "erase" ? -1 : k, moved: false };
    cross = null;
    host.setPointerCapture(event.pointerId);
  });
  host.addEventListener("pointermove", (event) => {
    host.classList.toggle("over", nearest(...inside(event)) >= 0);
    if (!dragged || dragged.k < 0) return;
    if (!canEdit()) return;
    const at = place(points[dragged.k]);
    const [px, py] = inside(event);
    if (!dragged.moved && Math.hypot(at.px - px, at.py - py) < 3) return;
    dragged.moved = true;
    moveTo(points[dragged.k], px, py);
    emit("points moved");
  });
  host.addEventListener("pointerup", (event) => {
    if (dragged?.moved) send("Moved");
    else if (dragged) use(...inside(event));
    dragged = null;
  });
  // a finger on the plane scrolls the page, unless it is on a point
  host.addEventListener("touchstart", (event) => {
    if (mode !== "pick" || event.touches.length > 1 || !canEdit()) return;
    if (nearest(...inside(event.touches[0])) >= 0) event.preventDefault();
  }, { passive: false });
  host.addEventListener("pointercancel", () => (dragged = null));
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function arrow(event, [dx, dy]) {
  const step = event.altKey ? 1 : 8;
  const held = event.shiftKey ? nearest(cross.px, cross.py) : -1;
  cross.px = Math.max(0, Math.min(plane.width, cross.px + step * dx));
  cross.py = Math.max(0, Math.min(plane.height, cross.py + step * dy));
  if (held >= 0 && canEdit()) {
    moveTo(points[held], cross.px, cross.py);
    host.dataset.moved = "yes";
  }
  const under = nearest(cross.px, cross.py);
  const at = `${fromX(cross.px).toFixed(2)}, ${fromY(cross.py).toFixed(2)}`;
  setText(byId("point-hint"), under >= 0 ? `point ${under + 1} at ${at}` : at);
  emit("points moved");
}

function followKeys() {
  host.addEventListener("focus", () => {
    cross ??= points.length ? place(points[Math.max(0, page.view.sample?.index ?? 0)] ?? points[0]) : { px: plane.width / 2, py: plane.height / 2 };
    emit("points moved");
  });
  host.addEventListener("blur", () => emit("points moved"));
  host.addEventListener("keydown", (event) => {
    if (ARROWS[event.key]) {
      cross ??= { px: plane.width / 2, py: plane.height / 2 };
      arrow(event, ARROWS[event.key]);
    } else if (!cross) return;
    else if (event.key === "Enter" || event.key === " ") use(cross.px, cross.py);
    else if (event.key === "Delete" || event.key === "Backspace") {
      const k = nearest(cross.px, cross.py);
      if (k >= 0) canEdit() ? erase(k) : refuse();
    } else return;
    event.preventDefault();
  });
  host.addEventListener("keyup", (event) => {
    if (event.key === "Shift" && host.dataset.moved) {
      delete host.dataset.moved;
      send("Moved");
    }
  });
}

const HINTS = {
  pick: "Click a point to select it as the sample; drag it to move it.",
  erase: "Click a point to erase it.",
  add: "Click in the picture to add a point.",
};

const FEW = 2; // classes with a button each; with more, there is a list
const modeButton = (value, text) => html("button", { type: "button", value, "aria-pressed": "false", onclick: ({ target }) => setMode(target.value) }, text);

/** The kinds of points to add: points, or points of a class. */
function adding({ data, labels }) {
  if (plane.flat || data.kind === "regression") return ["points"];
  if (data.y[0]?.length > 1) return data.y[0].map((_, k) => labels[`A${k + 1}`] ?? `A${k + 1}`);
  return data.classes?.length === 2 ? data.classes : ["0", "1"];
}

function addButtons(names) {
  if (names.length <= FEW) return names.map((name, k) => modeButton(String(k), `Add ${name}`));
  const button = modeButton("0", "Add");
  const select = html("select", { "aria-label": "Class of the added points" });
  fillSelect(select, names.map((name, k) => [k, name]), 0);
  select.addEventListener("change", () => {
    button.value = select.value;
    setMode(select.value);
  });
  return [button, select];
}

let modesFor = "";
function showModes(view) {
  const names = view.data.editable ? adding(view) : [];
  if (JSON.stringify(names) !== modesFor) {
    modesFor = JSON.stringify(names);
    mode = "pick";
    const more = names.length ? [...addButtons(names), modeButton("erase", "Erase")] : [];
    byId("drawing").firstElementChild.replaceChildren(modeButton("pick", "Move"), ...more);
  }
  setMode(mode);
}

function setMode(next) {
  mode = next;
  for (const button of byId("drawing").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === mode));
  setText(byId("point-hint"), HINTS[mode] ?? HINTS.add);
}

export function startPoints() {
  host.setAttribute("aria-description", "Arrow keys move the cross, Enter applies the mode, Shift with arrows drags the point under it, Delete erases it.");
  on("view", (view) => {
    points = view.data.X.map((x, k) => ({ x: [...x], y: [...view.data.y[k]] }));
    host.setAttribute("aria-label", `Points of ${view.data.name}: ${view.data.rows}`);
    showModes(view);
    emit("points moved");
  });
  on("surface drawn", draw);
  followPointer();
  followKeys();
}
