// Entry point of the page: the question box, the session's history, and the key.

import { AnswerView } from "./answer.js";
import { ask, keepKey, takeKeyFromAddress } from "./api.js";
import { closePanel, followAddress } from "./document.js";
import { element } from "./element.js";
import { showHealth } from "./health.js";

const HEALTH_MILLISECONDS = 30_000;
const byId = (id) => document.getElementById(id);
const box = byId("question");
const touch = matchMedia("(hover: none)").matches;
let running = null; // AbortController of the answer under way
let retry = null; // what to do once a key is given

async function run(question) {
  if (running) return; // one at a time
  const again = () => run(question);
  const view = new AnswerView(question);
  running = new AbortController();
  showView(view);
  byId("send").textContent = "Stop";
  byId("announcement").textContent = "Searching the documents";
  if (touch || document.activeElement !== box) byId("send").focus(); // drops a phone's keyboard
  box.value = "";
  try {
    for await (const [event, data] of ask(question, running.signal)) {
      if (event === "passages") view.showPassages(data);
      if (event === "token") view.showToken(data.text);
      if (event === "answer") view.showAnswer(data);
    }
  } catch (error) {
    if (running.signal.aborted) view.showStopped();
    else view.showProblem(error, again);
    if (error.status === 401) askForKey(again);
    box.value ||= question; // to mend and ask again
  }
  running = null;
  byId("send").textContent = "Ask";
  byId("announcement").textContent = view.spoken;
  remember(view);
  showHealth();
}

function showView(view) {
  byId("examples").hidden = true;
  byId("answer").replaceChildren(view.article);
}

function remember(view) {
  const list = byId("history").querySelector("ol");
  const button = element("button", { type: "button", dir: "auto" }, view.question);
  button.addEventListener("click", () => {
    showView(view);
    view.title.focus();
  });
  [...list.children].find((item) => item.textContent === view.question)?.remove();
  list.prepend(element("li", {}, button));
  byId("history").hidden = list.children.length < 2;
}

function askForKey(again) {
  retry = again;
  byId("key-form").hidden = false;
  byId("key").focus();
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepKey(byId("key").value.trim());
  event.target.reset();
  event.target.hidden = true;
  retry();
});

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = box.value.trim();
  if (running) running.abort();
  else if (question) run(question);
  else box.focus();
});

box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!running) byId("ask").requestSubmit();
});

byId("examples").addEventListener("click", (event) => {
  const chip = event.target.closest("button");
  if (chip) run(chip.textContent);
});

// Escape ends one thing at a time: the open menu, then what has the focus, then the other.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector(":popover-open")) return;
  const panel = byId("document");
  if (panel.open && (!running || panel.contains(document.activeElement))) closePanel();
  else running?.abort();
});

takeKeyFromAddress();
followAddress(askForKey);
showHealth();
setInterval(() => document.hidden || showHealth(), HEALTH_MILLISECONDS);
if (!byId("document").open && !touch) box.focus();
