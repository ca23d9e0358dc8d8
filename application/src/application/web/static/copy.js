// A button that copies an answer with its sources, as plain text.

import { element } from "./element.js";

const COPIED = "Copied";
const FAILED = "This browser allows no copying here: select the text instead";
const SHOWN_MILLISECONDS = 3000;

export function copyButton(question, answer) {
  const said = element("span", { class: "hint", role: "status" });
  const button = element("button", { class: "secondary", type: "button" }, "Copy answer");
  button.addEventListener("click", async () => {
    const done = navigator.clipboard?.writeText(asText(question, answer)) ?? Promise.reject();
    said.textContent = await done.then(() => COPIED, () => FAILED);
    setTimeout(() => said.replaceChildren(), SHOWN_MILLISECONDS);
  });
  return element("span", { class: "copy" }, button, said);
}

function asText(question, { text, citations }) {
  const sources = citations.map(({ number, title, path }) => `[${number}] ${title} (${path})`);
  return [question, text, ...(sources.length ? [sources.join("\n")] : [])].join("\n\n");
}
