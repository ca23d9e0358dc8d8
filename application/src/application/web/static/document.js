// The document panel: opens what the address names (#doc=...), with the cited span in view.

import { fetchDocument } from "./api.js";
import { element } from "./element.js";
import { placeIn, unitOffset } from "./spans.js";

const panel = document.getElementById("document");
const [title, place, note, text, scroll] = ["title", "place", "note", "text", "scroll"].map((part) =>
  document.getElementById(`document-${part}`),
);
const wide = matchMedia("(min-width: 68.75rem)"); // beside the answer; else a sheet over it
let opener = null;
let wanted = null; // the place that was asked for last: a slower reply for another one is dropped

export function followAddress(onProblem) {
  const follow = () => openPlace(placeIn(location.hash), onProblem);
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#doc=']");
    if (!link) return;
    opener = link;
    if (link.hash === location.hash) follow(); // no hashchange, so show the span again
  });
  document.getElementById("document-close").addEventListener("click", closePanel);
  panel.addEventListener("cancel", (event) => {
    event.preventDefault();
    closePanel();
  });
  wide.addEventListener("change", () => {
    if (panel.open) setOpen(true);
  });
  follow();
  return follow;
}

export function closePanel() {
  history.pushState(null, "", location.pathname + location.search); // Back opens it again
  openPlace(null);
}

async function openPlace(target, onProblem) {
  wanted = target;
  setOpen(target !== null);
  if (!target) return;
  title.textContent = "Opening";
  place.textContent = target.documentId;
  text.replaceChildren();
  note.hidden = true;
  title.focus();
  try {
    const found = await fetchDocument(target.documentId);
    if (wanted === target) showDocument(found, target);
  } catch (problem) {
    if (wanted !== target) return;
    title.textContent = problem.title ?? "The document could not be read";
    showNote(problem.message);
    onProblem(problem);
  }
}

function setOpen(open) {
  if (panel.open) panel.close();
  if (open && wide.matches) panel.show();
  if (open && !wide.matches) panel.showModal();
  if (!open) (opener?.isConnected ? opener : document.getElementById("question")).focus();
}

function showDocument(found, { start, end, version }) {
  title.textContent = found.title || found.path;
  place.textContent = `${found.path} · ${found.format} · version ${found.version.slice(0, 12)}`;
  const [from, to] = [start, end].map((offset) => unitOffset(found.text, offset));
  const mark = element("mark", { tabindex: "-1" }, found.text.slice(from, to));
  text.replaceChildren(found.text.slice(0, from), mark, found.text.slice(to));
  if (version && version !== found.version) {
    showNote("This document has changed since the answer was given, so the marked place may have moved.");
  }
  mark.focus({ preventScroll: true });
  scroll.scrollTop = mark.offsetTop - scroll.clientHeight / 4;
}

function showNote(words) {
  note.textContent = words;
  note.hidden = false;
}
