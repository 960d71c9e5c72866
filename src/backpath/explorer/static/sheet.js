// On a phone the panels are a sheet at the bottom, which opens when a tab or a weight is tapped.
import { byId } from "./dom.js";
import { on } from "./page.js";

const PHONE = matchMedia("(width < 560px)");
const root = document.documentElement;

function close() {
  delete root.dataset.sheet;
}

export function startSheet() {
  on("opened", () => PHONE.matches && (root.dataset.sheet = "open"));
  byId("close-sheet").addEventListener("click", close);
  addEventListener("keydown", ({ key }) => key === "Escape" && close());
  const fields = byId("how-fast");
  const fit = () => {
    fields.open = !PHONE.matches;
    if (!PHONE.matches) close();
  };
  PHONE.addEventListener("change", fit);
  fit();
}
