// The document panel: opens what the address names (#doc=...), with the cited span in view.

import { fetchDocument } from "./api.js";
import { element } from "./element.js";
import { sourceText } from "./source_text.js";
import { placeIn, unitOffset } from "./spans.js";

const panel = document.getElementById("document");
const [title, place, note, text, scroll] = ["title", "place", "note", "text", "scroll"].map(
  (part) => document.getElementById(`document-${part}`),
);
const wide = matchMedia("(min-width: 68.75rem)"); // beside the answer; else a sheet over it
let opener = null; // the link that gets the focus back
let wanted = null; // the place asked for last: a slower reply for another one is dropped

// `onLocked(again)` is called where a document needs a key first.
export function followAddress(onLocked) {
  const follow = () => openPlace(placeIn(location.hash), () => onLocked(follow));
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#doc=']");
    opener = link ?? opener;
    if (link && link.hash === location.hash) follow(); // no hashchange: show the span again
  });
  document.getElementById("document-close").addEventListener("click", closePanel);
  panel.addEventListener("cancel", closePanel); // a phone's back gesture
  follow();
}

export function closePanel() {
  history.pushState(null, "", location.pathname + location.search); // Back opens it again
  openPlace(null);
}

async function openPlace(target, onLocked) {
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
    if (wanted === target) showProblem(problem, onLocked);
  }
}

function setOpen(open) {
  const wasOpen = panel.open;
  panel.close();
  if (open && wide.matches) panel.show();
  else if (open) panel.showModal();
  else if (wasOpen) (opener?.isConnected ? opener : document.getElementById("question")).focus();
}

function showDocument(found, { start, end, version }) {
  title.textContent = found.title || found.path;
  place.textContent = `${found.path} · ${found.format} · version ${found.version.slice(0, 12)}`;
  const [from, to] = [start, end].map((offset) => unitOffset(found.text, offset));
  text.replaceChildren(...sourceText(found.text, { from, to }));
  note.textContent = "This document has changed since the answer: the marked place may have moved.";
  note.hidden = !version || version === found.version;
  const mark = text.querySelector("mark");
  if (!mark) return;
  mark.focus({ preventScroll: true });
  const top = mark.getBoundingClientRect().top - scroll.getBoundingClientRect().top;
  scroll.scrollTop += top - scroll.clientHeight / 4;
}

function showProblem(problem, onLocked) {
  title.textContent = problem.title ?? "The document could not be read";
  note.textContent = problem.message;
  note.hidden = false;
  if (problem.status !== 401) return;
  setOpen(false);
  onLocked();
}
