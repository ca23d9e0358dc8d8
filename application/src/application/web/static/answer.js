// Shows one question: its stages while it runs, then the answer or why there is none.

import { element } from "./element.js";
import { feedbackOn } from "./feedback.js";
import { linkTo } from "./spans.js";

const HEADLINES = {
  answered: "Answered from the documents",
  abstained: "Not found in the documents",
  degraded: "Passages only: no model could answer",
};
const NOTHING_FOUND =
  "No passage was found at all. If the index is still empty, run make sync, then ask again.";

const NOTES = {
  unsupported: "The underlined words are the model's own: no passage found says so.",
  contradicted: "The struck words contradict a passage that was found: do not rely on them.",
};

export class AnswerView {
  constructor(question) {
    this.question = question;
    this.title = element("h2", { dir: "auto", tabindex: "-1" }, question);
    this.headline = element("p", { class: "headline" });
    this.text = element("div", { class: "text", dir: "auto" });
    this.rest = element("div");
    this.article = element("article", {}, this.title, this.headline, this.text, this.rest);
    this.setState("running", "Searching the documents");
  }

  setState(state, headline) {
    this.article.dataset.state = state;
    this.article.ariaBusy = String(state === "running");
    this.headline.textContent = headline;
  }

  showPassages(passages) {
    this.setState("running", `Reading ${counted(passages.length, "passage")}`);
  }

  showToken(piece) {
    this.setState("running", "Writing; sources are checked when it is complete");
    this.text.append(piece);
  }

  showAnswer(answer) {
    const facts = [
      `evidence ${Math.round(answer.evidence * 100)}%`,
      ...(answer.citations.length ? [counted(answer.citations.length, "source")] : []),
      duration(answer.timings.total_ms),
    ];
    this.setState(answer.status, HEADLINES[answer.status]);
    this.headline.append("\u2002", element("span", {}, facts.join(" · ")));
    this.text.replaceChildren(...statementsOf(answer));
    const labels = new Set(answer.statements.map(({ support }) => support));
    const notes = Object.keys(NOTES).filter((label) => labels.has(label)).map((l) => NOTES[l]);
    const reason = [answer.reason, ...notes, ...answer.notes].filter(Boolean).map(reasonOf);
    const listed = [...sourcesOf(answer), ...passagesOf(answer)];
    this.rest.replaceChildren(...reason, ...listed, versionsOf(answer), feedbackOn(answer));
  }

  showStopped() {
    this.setState("stopped", "Stopped: unfinished, and not checked against the documents");
  }

  showProblem({ title = "The reply could not be read", message, retryAfter }, again) {
    const seconds = counted(Number(retryAfter), "second");
    const wait = retryAfter ? ` You can ask again in ${seconds}.` : "";
    const button = element("button", { type: "button", class: "secondary" }, "Ask again");
    button.addEventListener("click", again);
    this.setState("error", title);
    this.text.replaceChildren();
    this.rest.replaceChildren(reasonOf(message + wait), button);
  }

  // What a screen reader hears, once.
  get spoken() {
    const parts = [this.headline, this.text, ...this.rest.querySelectorAll(".reason")];
    return parts.map((part) => part.textContent).join(". ");
  }
}

function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function reasonOf(words) {
  return element("p", { class: "reason", dir: "auto" }, words);
}

// The answer's text, with the statements that no passage supports set apart.
function statementsOf({ text, statements, citations }) {
  const shown = [];
  let from = 0;
  for (const { text: words, support } of statements) {
    const at = text.indexOf(words, from);
    if (support === "supported" || at < 0) continue;
    const marked = element("mark", { class: support, title: NOTES[support] }, words);
    shown.push(...withMarkers(text.slice(from, at), citations), marked);
    from = at + words.length;
  }
  return [...shown, ...withMarkers(text.slice(from), citations)];
}

// The text with each [n] that is a citation as a link to its passage, kept beside its word.
function withMarkers(text, citations) {
  const byMarker = new Map(citations.map((citation) => [`[${citation.number}]`, citation]));
  const joined = text.replace(/ (?=\[\d+\])/g, "\u00a0");
  return joined.split(/(\[\d+\])/).map((piece) => {
    const citation = byMarker.get(piece);
    if (!citation) return piece;
    const label = `Source ${citation.number}: ${citation.title}`;
    return element("a", { class: "marker", href: linkTo(citation), "aria-label": label }, piece);
  });
}

function sourcesOf({ citations, passages }) {
  if (!citations.length) return [];
  const items = citations.map((citation) => {
    const passage = passages.find(({ chunk_id }) => chunk_id === citation.chunk_id);
    return sourceItem(`[${citation.number}]`, citation, citation.quote, passage);
  });
  return [element("h3", {}, "Sources"), element("ol", { class: "sources" }, ...items)];
}

// Where nothing is cited, the nearest passages are the best there is: shown open.
function passagesOf({ citations, passages }) {
  if (!passages.length) return [element("p", { class: "hint" }, NOTHING_FOUND)];
  const items = passages.map((found, i) => sourceItem(`${i + 1}.`, found, found.text, found));
  const list = element("ol", { class: "sources" }, ...items);
  if (!citations.length) return [element("h3", {}, "Nearest passages"), list];
  const summary = element("summary", {}, `All ${counted(passages.length, "passage")} found`);
  return [element("details", {}, summary, list)];
}

function sourceItem(number, place, quote, passage) {
  const page = passage?.page ? [`page ${passage.page}`] : [];
  const where = [place.path, ...(passage?.headings ?? []), ...page].join(" › ");
  return element(
    "li",
    { "data-number": number },
    element("a", { href: linkTo(place), dir: "auto" }, place.title || place.path),
    element("p", { class: "hint", dir: "auto" }, where),
    element("blockquote", { dir: "auto" }, quote.replace(/\n\s*\n/g, "\n")),
  );
}

function versionsOf({ provenance, timings }) {
  const spans = Object.entries(timings).filter(([, value]) => value !== null);
  const facts = {
    ...provenance,
    sampling: Object.entries(provenance.sampling).map((setting) => setting.join(" ")),
    timings: spans.map(([name, value]) => `${name.replace("_ms", "")} ${duration(value)}`),
  };
  const rows = Object.entries(facts).map(([name, value]) => {
    const words = [value].flat().join(", ") || "none";
    const term = element("dt", {}, name.replaceAll("_", " "));
    return element("div", {}, term, element("dd", {}, words));
  });
  const summary = element("summary", {}, "Which versions answered");
  return element("details", {}, summary, element("dl", { class: "facts" }, ...rows));
}
