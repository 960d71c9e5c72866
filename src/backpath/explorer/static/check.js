// Check my gradient: the user's own figures, and what is wrong with them.
import { byId, html, setText } from "./dom.js";
import { insertMarkup, reachScrolled } from "./markup.js";
import { act, on, say } from "./page.js";
import { inputsOf } from "./sets.js";

const MOST = 60; // fields for weights
let built = "";

async function check(event) {
  event.preventDefault();
  const fields = [...byId("claims").querySelectorAll("input")].filter(({ value }) => value.trim() !== "");
  const claimed = Object.fromEntries(fields.map(({ name, value }) => [name, value.trim()]));
  if (!fields.length) {
    setText(byId("verdict"), "Type your figure for at least one weight.");
    return;
  }
  say("");
  setText(byId("verdict"), "Checking …"); // the previous verdict is for other figures
  const answer = await act("check", { claimed, kind: byId("claim-kind").value });
  if (!answer) {
    byId("verdict").replaceChildren();
    return;
  }
  insertMarkup(byId("verdict"), answer.html);
  if (answer.note) byId("verdict").append(html("p", { class: "soft" }, answer.note));
  reachScrolled(byId("verdict"));
  byId("verdict").scrollIntoView({ block: "nearest" });
}

function claimRow({ name }) {
  return html("label", { class: "field claim" }, html("span", {}, name), html("input", { type: "text", inputmode: "decimal", size: 8, name, autocomplete: "off" }));
}

function showFields({ weights }) {
  const now = weights.map(({ name }) => name).join();
  if (now === built) return;
  built = now;
  byId("claims").replaceChildren(...weights.slice(0, MOST).map(claimRow));
  setText(byId("verdict"), weights.length ? "" : "This network is too large to check by hand.");
}

export function startCheck() {
  const form = html("form", {},
    html("label", { class: "field wide" }, "My figures are ",
      html("select", { id: "claim-kind" }, html("option", { value: "gradients" }, "gradients ∂C/∂W"), html("option", { value: "weights" }, "the weights after one update"))),
    html("div", { id: "claims" }),
    html("button", { type: "submit", class: "primary" }, "Check my figures"));
  form.addEventListener("submit", check);
  byId("panel-check").replaceChildren(
    html("h2", {}, "Check my gradient"),
    html("p", { class: "soft", id: "check-of" }),
    form,
    html("div", { id: "verdict", role: "status" }),
  );
  on("view", (view) => {
    showFields(view);
    const which = view.sample.batch ? "all samples together" : `the sample ${inputsOf(view)}`;
    setText(byId("check-of"), `Compute by hand for ${which}, with the weights in the picture. Some figures are enough; leave the others empty.`);
  });
}
