// The picture of the network as a file: SVG, or PNG at twice the size.
import { html } from "./dom.js";
import { picture } from "./picture.js";

const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity", "opacity", "font-family", "font-size", "font-weight",
  "text-anchor", "paint-order", "stroke-linejoin", "visibility"];

/** A copy with its styles inlined, because a file has no style sheets. */
function standalone() {
  const copy = picture.root.cloneNode(true);
  const [own, copies] = [picture.root.querySelectorAll("*"), copy.querySelectorAll("*")];
  own.forEach((element, k) => {
    const style = getComputedStyle(element);
    if (style.display === "none") copies[k].setAttribute("display", "none");
    for (const name of KEPT) copies[k].setAttribute(name, style.getPropertyValue(name));
    for (const name of ["tabindex", "role"]) copies[k].removeAttribute(name);
  });
  for (const grip of copy.querySelectorAll(".grip")) grip.remove();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const { width, height } = picture.root.viewBox.baseVal;
  const paper = document.createElementNS(copy.namespaceURI, "rect");
  paper.setAttribute("width", width);
  paper.setAttribute("height", height);
  paper.setAttribute("fill", getComputedStyle(document.getElementById("network")).backgroundColor);
  copy.prepend(paper);
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}

function save(blob, name) {
  const link = html("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const saveSvg = () => save(standalone(), "network.svg");

export async function savePng() {
  const image = new Image();
  const source = URL.createObjectURL(standalone());
  image.src = source;
  await image.decode();
  const { width, height } = picture.root.viewBox.baseVal;
  const canvas = html("canvas", { width: Math.round(2 * width), height: Math.round(2 * height) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(source);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), "network.png");
}
