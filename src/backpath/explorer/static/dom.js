// Creates and changes elements. Text is always set as text, and only what changed is touched.
const SVG = "http://www.w3.org/2000/svg";

/** @type {(id: string) => any} an input, a canvas or any other element */
export const byId = (id) => document.getElementById(id);

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

export const html = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  made(document.createElementNS(SVG, tag), attributes, children);

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** A number from the server in a neuron: in a smaller font if it is long, and shortened if even that does not fit. */
export function setNumber(node, number, most = 10) {
  const whole = number ? alike([number])[0] : "–";
  const shorter = () => [5, 4, 3].map((digits) => number.value.toPrecision(digits)).find(({ length }) => length <= most);
  const text = whole.length <= most ? whole : (shorter() ?? number.value.toExponential(most > 9 ? 3 : 1));
  if (node.textContent === text) return;
  node.textContent = text;
  node.classList.toggle("long", text.length > 7);
}

const digitsOf = (text) => text.replace(/e.*/, "").replace(/^-?[0.]*/, "").replace(".", "").length;

/** Texts of numbers with equally many digits; a number that is exact with fewer keeps them. */
export function alike(numbers, least = 5) {
  const most = Math.max(least, ...numbers.map(({ text }) => digitsOf(text)));
  return numbers.map(({ text, value }) =>
    (Number(text) === value || text.includes("e") || digitsOf(text) >= most ? text : padded(text, most - digitsOf(text))));
}

const padded = (text, zeros) => (text.includes(".") ? text : `${text}.`) + "0".repeat(zeros);

const LONG = 9; // letters

/** A number close to others: with as many digits as they have, and shortened if it is long. */
export function compact(number) {
  const [text] = alike([number]);
  if (text.length <= LONG) return text;
  const shorter = number.value.toPrecision(4);
  return shorter.length <= LONG && !shorter.includes("e") ? shorter : number.value.toExponential(3);
}

/** A number where there is little room: with two decimals. */
export const brief = (value) => (Math.abs(value) < 10 ? value.toFixed(2) : value.toPrecision(2));

/** Fills a <select> with [value, text] pairs. */
export function fillSelect(select, options, chosen) {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    select.replaceChildren(...options.map(([value, text]) => html("option", { value }, text)));
  }
  if (document.activeElement !== select || select.value === "") select.value = String(chosen);
}

/** Shows a setting in a text field, unless the user is typing another one. */
export function showSetting(field, value) {
  field.dataset.setting = String(value);
  if (document.activeElement === field && field.value !== field.dataset.sent) return;
  field.value = String(value);
  delete field.dataset.sent;
}

/** Calls send with a typed setting. A field that is left unchanged shows the current setting. */
export function onSetting(field, send) {
  field.addEventListener("change", () => {
    field.dataset.sent = field.value;
    send(field.value.trim());
  });
  field.addEventListener("blur", () => {
    if (field.value !== field.dataset.sent) field.value = field.dataset.setting ?? field.value;
  });
}

/** A number for which the server sends no text, with five digits like the server's. */
export function shown(number) {
  if (!Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  if (size === 0) return "0";
  return size < 0.0001 || size >= 1e5 ? number.toExponential(2) : number.toPrecision(5);
}

const colours = new Map();
/** The value of a CSS variable, for canvases; cached, because reading it is slow. */
export function colour(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return colours.get(name);
}

/** Call this when the theme changes. */
export const forgetColours = () => colours.clear();

/** Fits a canvas to its size on the screen; returns its context, in CSS pixels. */
export function canvasContext(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
