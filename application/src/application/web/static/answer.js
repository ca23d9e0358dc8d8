// Shows one question: its stages while it runs, then the answer or why there is none.

import { element } from "./element.js";
import { linkTo } from "./spans.js";

const HEADLINES = {
  answered: "Answered from the documents",
  abstained: "Not found in the documents",
  degraded: "Passages only: no model could answer",
};

export class AnswerView {
  constructor(question) {
    this.question = question;
    this.headline = element("p", { class: "headline" });
    this.text = element("div", { class: "text", dir: "auto" });
    this.rest = element("div");
    const title = element("h2", { dir: "auto" }, question);
    this.article = element("article", {}, title, this.headline, this.text, this.rest);
    this.setState("running", "Searching the documents");
  }

  setState(state, headline) {
    this.state = state;
    this.article.dataset.state = state;
    this.article.ariaBusy = String(state === "running");
    this.headline.textContent = headline;
  }

  showPassages(passages) {
    const count = counted(passages.length, "passage");
    this.setState("running", `Reading ${count}`);
  }

  showToken(piece) {
    this.setState("running", "Writing; sources are checked when it is complete");
    this.text.append(piece);
  }

  showAnswer(answer) {
    this.setState(answer.status, HEADLINES[answer.status]);
    this.text.replaceChildren(...withMarkers(answer.text, answer.citations));
    const facts = [
      `evidence ${Math.round(answer.evidence * 100)}%`,
      answer.citations.length && counted(answer.citations.length, "source"),
      duration(answer.timings.total_ms),
    ];
    this.headline.append(element("span", {}, facts.filter(Boolean).join(" · ")));
    this.rest.replaceChildren(
      ...(answer.reason ? [element("p", { class: "reason", dir: "auto" }, answer.reason)] : []),
      ...sourcesOf(answer),
      ...passagesOf(answer),
      versionsOf(answer),
    );
  }

  showStopped() {
    this.setState("stopped", "Stopped: unfinished, and not checked against the documents");
  }

  showProblem({ title = "The reply could not be read", message, retryAfter }, again) {
    this.setState("error", title);
    const wait = retryAfter ? ` You can ask again in ${counted(Number(retryAfter), "second")}.` : "";
    const button = element("button", { type: "button", class: "secondary" }, "Ask again");
    button.addEventListener("click", again);
    this.text.replaceChildren();
    this.rest.replaceChildren(element("p", { class: "reason", dir: "auto" }, message + wait), button);
  }

  // What a screen reader hears, once.
  get spoken() {
    return [this.headline, this.text, ...this.rest.querySelectorAll(".reason")]
      .map((part) => part.textContent)
      .join(". ");
  }
}

function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

// The text with each [n] that is a citation as a link to its passage.
function withMarkers(text, citations) {
  const byMarker = new Map(citations.map((citation) => [`[${citation.number}]`, citation]));
  return text.split(/(\[\d+\])/).map((piece) => {
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
    return sourceItem(citation, citation.quote, passage, { value: citation.number });
  });
  return [element("h3", {}, "Sources"), element("ol", { class: "sources" }, ...items)];
}

// Where nothing is cited, the nearest passages are the best the page can offer: shown open.
function passagesOf({ status, passages }) {
  if (!passages.length) return [element("p", { class: "hint" }, NOTHING_FOUND)];
  const items = passages.map((passage) => sourceItem(passage, passage.text, passage));
  const list = element("ol", { class: "sources nearest" }, ...items);
  if (status !== "answered") return [element("h3", {}, "Nearest passages"), list];
  const title = `All ${counted(passages.length, "passage")} that were read`;
  return [element("details", {}, element("summary", {}, title), list)];
}

const NOTHING_FOUND =
  "No passage was found at all. If the index is still empty, ingest documents (make sync) and ask again.";

function sourceItem(place, quote, passage, attributes = {}) {
  const page = passage?.page ? [`page ${passage.page}`] : [];
  const where = [place.path, ...(passage?.headings ?? []), ...page].join(" › ");
  return element(
    "li",
    attributes,
    element("a", { href: linkTo(place), dir: "auto" }, place.title || place.path),
    element("p", { class: "hint", dir: "auto" }, where),
    element("blockquote", { dir: "auto" }, quote),
  );
}

function versionsOf({ provenance, timings, contract }) {
  const sampling = Object.entries(provenance.sampling).map(([name, value]) => `${name} ${value}`);
  const spans = Object.entries(timings).filter(([, value]) => value !== null);
  const facts = {
    Index: provenance.index,
    "Ingestion runs": provenance.ingestion_runs.join(", "),
    Embedder: provenance.embedder,
    Model: provenance.model,
    "Model manifest": provenance.model_manifest,
    Endpoint: provenance.endpoint,
    "Application build": provenance.application_build,
    Bundle: provenance.bundle,
    Sampling: sampling.join(", "),
    Timings: spans.map(([name, value]) => `${name.replace("_ms", "").replace("_", " ")} ${duration(value)}`).join(", "),
    Request: provenance.request_id,
    Contract: contract,
  };
  const rows = Object.entries(facts).map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value || "none")),
  );
  return element("details", {}, element("summary", {}, "Which versions answered"), element("dl", { class: "facts" }, ...rows));
}
