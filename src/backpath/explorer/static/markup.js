// Formulas come from the server as MathML; only the elements and attributes named here are inserted into the page.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const MATH = new Set(
  "math mrow mi mn mo mtext mfrac msub msup msubsup munderover munder mover mtable mtr mtd mspace".split(" "),
);
const HTML = new Set("div h1 h2 h3 p table thead tbody tr th td span ol ul li strong em code".split(" "));
const ATTRIBUTES = new Set(["class", "display", "displaystyle", "stretchy", "lspace", "rspace", "columnspan", "scope"]);
const ALIGNED = { "text-align: right": "right", "text-align: left": "left" }; // the security policy refuses style attributes

function kept(node, into) {
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      into.append(child.data);
    } else if (child.nodeType === Node.ELEMENT_NODE) {
      const copy = copied(child);
      if (copy) into.append(copy);
    }
  }
  return into;
}

function copied(element) {
  const name = element.localName;
  const isMath = element.namespaceURI === MATHML && MATH.has(name);
  if (!isMath && !HTML.has(name)) return null;
  const copy = isMath ? document.createElementNS(MATHML, name) : document.createElement(name);
  for (const attribute of element.attributes) {
    if (ATTRIBUTES.has(attribute.name)) copy.setAttribute(attribute.name, attribute.value);
    if (attribute.name === "data-style" && ALIGNED[attribute.value]) copy.classList.add(ALIGNED[attribute.value]);
  }
  return kept(element, copy);
}

/** The allowed part of a piece of markup. */
export function clean(markup) {
  const inert = markup.replaceAll(" style=", " data-style=");
  const parsed = new DOMParser().parseFromString(inert, "text/html");
  return kept(parsed.body, document.createDocumentFragment());
}

export function insertMarkup(place, markup) {
  place.replaceChildren(clean(markup));
}

/** Makes formulas that are too wide for their place scrollable by keyboard. */
export function reachScrolled(place) {
  for (const wide of place.querySelectorAll(".scroll, .formulas, .is")) {
    if (wide.scrollWidth <= wide.clientWidth) continue;
    wide.tabIndex = 0;
    wide.setAttribute("role", "group");
    wide.setAttribute("aria-label", "formula");
  }
}

/** A formula with or without the <math> around it. */
export function insertFormula(place, mathml) {
  insertMarkup(place, mathml.startsWith("<math") ? mathml : `<math xmlns="${MATHML}">${mathml}</math>`);
}
