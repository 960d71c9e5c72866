// The arrow keys in the picture: up and down to neighbours, left and right along the edges.
import { openEditor } from "./editor.js";
import { emit, on } from "./page.js";
import { inTabOrder, look, nameOf, picture, showNumber } from "./picture.js";

const all = () => [...picture.nodes.values(), ...picture.edges.values()];
const inGap = (layer) => [...picture.edges.values()].filter((edge) => edge.to.layer === layer);

/** The item that an arrow key selects; sideways = along the layer, forward = towards the output. */
function neighbour(thing, sideways, forward) {
  if (thing.name) {
    if (forward) return forward > 0 ? thing.to : thing.from;
    const gap = inGap(thing.to.layer);
    return gap[gap.indexOf(thing) + sideways];
  }
  if (sideways) {
    const column = picture.columns[thing.layer];
    return column[column.indexOf(thing) + sideways];
  }
  const edges = [...picture.edges.values()];
  const next = edges.find((edge) => (forward > 0 ? edge.from : edge.to) === thing);
  return next ?? (forward > 0 ? picture.columns[thing.layer + 1]?.[0] : picture.columns[thing.layer - 1]?.[0]);
}

function moved(key, thing) {
  const [sideKeys, alongKeys] = [["ArrowUp", "ArrowDown"], ["ArrowLeft", "ArrowRight"]];
  const [side, along] = picture.upright ? [alongKeys, sideKeys] : [sideKeys, alongKeys];
  const step = (keys) => (key === keys[0] ? -1 : key === keys[1] ? 1 : 0);
  if (step(side) || step(along)) return neighbour(thing, step(side), step(along));
  if (key === "Home") return picture.columns[0][0];
  if (key === "End") return picture.columns.at(-1)[0];
  return null;
}

function followKeys(root) {
  root.addEventListener("keydown", (event) => {
    const thing = all().find(({ button }) => button === event.target);
    if (!thing || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = moved(event.key, thing);
    if (next) {
      inTabOrder(next.button);
      next.button.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      look(thing);
    } else if (event.key === "F2" && thing.name) {
      openEditor(thing);
    } else if (!event.key.startsWith("Arrow")) {
      return;
    }
    event.preventDefault();
  });
  root.addEventListener("focusin", ({ target }) => {
    const thing = all().find(({ button }) => button === target);
    if (!thing) return;
    showNumber(thing);
    thing.label?.classList.add("hover");
    (thing.line ?? thing.element).classList.add("hover");
    emit("hovered", nameOf(thing));
  });
  root.addEventListener("focusout", ({ target }) => {
    const thing = all().find(({ button }) => button === target);
    thing?.label?.classList.remove("hover");
    (thing?.line ?? thing?.element)?.classList.remove("hover");
    emit("hovered", null);
  });
}

export const startKeyboard = () => on("built", followKeys);
