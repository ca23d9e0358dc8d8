// What an answer rests on: its sources, every passage that was found, and the versions behind it.

import { element } from "./element.js";
import { headerAbove, sourceText } from "./source_text.js";
import { linkTo } from "./spans.js";

const NOTHING_FOUND =
  "No passage was found at all. If the index is still empty, run make sync, then ask again.";

export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// Where nothing is cited, the nearest passages are the best there is: shown open.
export function sourcesOf({ citations, passages }) {
  if (!passages.length) return [element("p", { class: "hint" }, NOTHING_FOUND)];
  const found = passages.map((passage, i) => sourceItem(`${i + 1}.`, passage, passage.text, passage));
  const all = element("ol", { class: "sources" }, ...found);
  if (!citations.length) return [element("h3", {}, "Nearest passages"), all];
  const cited = citations.map((citation) => {
    const passage = passages.find(({ chunk_id }) => chunk_id === citation.chunk_id);
    return sourceItem(`[${citation.number}]`, citation, citation.quote, passage);
  });
  const summary = element("summary", {}, `Every passage found (${passages.length})`);
  return [
    element("h3", {}, "Sources"),
    element("ol", { class: "sources" }, ...cited),
    element("details", {}, summary, all),
  ];
}

function sourceItem(number, place, quote, passage) {
  const page = passage?.page ? [`page ${passage.page}`] : [];
  const where = [place.path, ...(passage?.headings ?? []), ...page].join(" › ");
  const header = headerAbove(passage?.text ?? "", quote) || passage?.table_header;
  const words = sourceText(quote.replace(/\n\s*\n/g, "\n"), { header });
  return element(
    "li",
    { "data-number": number },
    element("a", { href: linkTo(place), dir: "auto" }, place.title || place.path),
    element("p", { class: "hint", dir: "auto" }, where),
    element("blockquote", { dir: "auto" }, ...words),
  );
}

export function versionsOf({ provenance, timings }) {
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
