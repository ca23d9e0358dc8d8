// Shows one question: its stages while it runs, then the answer or why there is none.

import { copyButton } from "./copy.js";
import { element } from "./element.js";
import { feedbackOn } from "./feedback.js";
import { markdown } from "./markdown.js";
import { linkMarkers, markStatements, SUPPORT } from "./marks.js";
import { counted, duration, sourcesOf, versionsOf } from "./sources.js";

const HEADLINES = {
  answered: "Answered from the documents",
  abstained: "Not found in the documents",
  degraded: "Passages only: no model could answer",
};
const EXPLAINED = {
  abstained:
    "The documents do not say enough to answer this, so nothing was made up. Try other words, or" +
    " read the passages that came nearest.",
  degraded:
    "The documents were searched, but the model that writes the answers did not reply. These are" +
    " the passages that fit your question best. Ask again in a while for a written answer.",
};
const COURTESY = "Nothing to look up";
const LOCKED = "Enter your API key below. Your question is then asked again by itself.";

export class AnswerView {
  constructor(question) {
    this.question = question;
    this.title = element("h2", { dir: "auto", tabindex: "-1" }, question);
    this.rewritten = element("p", { class: "hint", dir: "auto" });
    this.headline = element("p", { class: "headline" });
    this.text = element("div", { class: "text", dir: "auto" });
    this.rest = element("div", { class: "rest" });
    this.sources = element("div", { class: "beside" });
    const asked = element("header", {}, this.title, this.rewritten);
    const body = element("div", { class: "body" }, this.headline, this.text, this.rest);
    this.article = element("article", {}, asked, body, this.sources);
    this.setState("running", "Searching the documents");
  }

  setState(state, headline) {
    this.article.dataset.state = state;
    this.article.ariaBusy = String(state === "running");
    this.headline.textContent = headline;
  }

  showPassages(passages) {
    this.setState("running", `Reading ${counted(passages.length, "passage")}`);
    this.draft = "";
  }

  showToken(piece) {
    this.draft += piece;
    this.setState("running", "Writing; sources are checked when it is complete");
    this.text.replaceChildren(...markdown(this.draft));
  }

  showAnswer(answer) {
    const { status, provenance, question } = answer;
    const isCourtesy = provenance.rewriting === "courtesy";
    this.setState(status, isCourtesy ? COURTESY : HEADLINES[status]);
    if (!isCourtesy) this.headline.append("\u2002", element("span", {}, factsOf(answer)));
    const isRewritten = ["model", "rule"].includes(provenance.rewriting);
    this.rewritten.textContent = isRewritten ? `Searched as: ${question}` : "";
    this.showText(answer);
    const labels = new Set(answer.statements.map(({ support }) => support));
    const notes = Object.keys(SUPPORT).filter((label) => labels.has(label));
    const reasons = [
      EXPLAINED[status],
      answer.reason,
      ...notes.map((label) => SUPPORT[label].note),
      ...answer.notes,
    ];
    this.rest.replaceChildren(
      ...reasons.filter(Boolean).map(reasonOf),
      element("div", { class: "actions" }, copyButton(this.question, answer), feedbackOn(answer)),
      versionsOf(answer),
    );
    if (!isCourtesy) this.sources.replaceChildren(...sourcesOf(answer));
  }

  // A statement without support is never shown as if it had some: if it is not found in what was
  // drawn, the text is shown as it came, where it is.
  showText({ text, statements, citations }) {
    this.text.replaceChildren(...markdown(text));
    const isMarked = markStatements(this.text, statements);
    this.text.classList.toggle("plain", !isMarked);
    if (!isMarked) {
      this.text.replaceChildren(text);
      markStatements(this.text, statements);
    }
    linkMarkers(this.text, citations);
  }

  showStopped() {
    this.setState("stopped", "Stopped: unfinished, and not checked against the documents");
  }

  showLocked(detail) {
    this.setState("locked", "A key is needed");
    this.rest.replaceChildren(reasonOf(`${detail} ${LOCKED}`));
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

function factsOf({ status, evidence, citations, timings }) {
  const chance = `${Math.round(evidence * 100)}%`;
  const facts = [
    ...(status === "answered" ? [`about ${chance} likely to be right`] : [`evidence ${chance}`]),
    ...(citations.length ? [counted(citations.length, "source")] : []),
    duration(timings.total_ms),
  ];
  return facts.join(" · ");
}

function reasonOf(words) {
  return element("p", { class: "reason", dir: "auto" }, words);
}
