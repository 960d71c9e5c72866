// The state in the address: after # and so never sent anywhere; a reload or the link brings it back.
import { choose, on, page } from "./page.js";

function toText(value) {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromText(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(letters, (letter) => letter.charCodeAt(0))));
}

let written = "";

/** The state in an address, or null; throws where there is one that cannot be read. */
export function readLink() {
  const text = new URLSearchParams(location.hash.slice(1)).get("s");
  return text === null || location.hash === written ? null : fromText(text);
}

export function writeLink() {
  if (!page.view) return;
  written = `#s=${toText({ state: page.view.state, chosen: page.chosen })}`;
  if (location.hash !== written) history.replaceState(null, "", written);
}

let waiting = 0;
const soon = () => {
  clearTimeout(waiting);
  waiting = setTimeout(writeLink, 150);
};

export function startLink() {
  on("view", soon);
  on("chosen", soon);
}

export function chooseAgain(chosen) {
  if (chosen?.name && ["weight", "neuron"].includes(chosen.kind)) choose(chosen.name, chosen.kind);
}
