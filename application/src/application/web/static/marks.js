// Marks in an answer that is drawn: statements without support, and links to what [n] cites.

import { element } from "./element.js";
import { linkTo } from "./spans.js";

// What a reader sees behind the words, and what explains it below the answer.
export const SUPPORT = {
  unsupported: {
    tag: "no source",
    note: "Underlined and tagged “no source”: the model wrote this, and no passage found says it.",
  },
  contradicted: {
    tag: "contradicted",
    note: "Struck out and tagged “contradicted”: a passage found says otherwise. Do not rely on it.",
  },
};

const KEPT = /[\p{L}\p{N}]/u; // letters and digits look the same in Markdown and when drawn
const ENDING = /[.!?,;:%)"”’\]]/;
const LIST_NUMBER = /^\s*\d+[.)]\s+/;

// Marks what no passage supports. Returns false where a statement is not found; nothing changes then.
export function markStatements(root, statements) {
  const letters = lettersOf(root);
  const stream = letters.map(({ letter }) => letter).join("");
  const ranges = [];
  let from = 0;
  for (const { text, support } of statements) {
    const wanted = kept(text.replace(LIST_NUMBER, ""));
    const at = stream.indexOf(wanted, from);
    if (at >= 0) from = at + wanted.length;
    if (!SUPPORT[support] || !wanted) continue;
    if (at < 0) return false;
    ranges.push({ support, places: letters.slice(at, from) });
  }
  for (const range of ranges.reverse()) wrap(range); // from the end: what comes before keeps its place
  return true;
}

// Turns each [n] that is a citation into a link to its passage, kept beside its word.
export function linkMarkers(root, citations) {
  const byMarker = new Map(citations.map((citation) => [`[${citation.number}]`, citation]));
  for (const node of textNodes(root)) {
    const joined = node.data.replace(/ (?=\[\d+\])/g, "\u00a0");
    const pieces = joined.split(/(\[\d+\])/);
    if (pieces.length === 1) continue;
    node.replaceWith(...pieces.map((piece) => markerOf(byMarker.get(piece), piece)));
  }
}

function markerOf(citation, piece) {
  if (!citation) return piece;
  const label = `Source ${citation.number}: ${citation.title}`;
  return element("a", { class: "marker", href: linkTo(citation), "aria-label": label }, piece);
}

function lettersOf(root) {
  return textNodes(root).flatMap((node) =>
    [...node.data.split("").entries()]
      .filter(([, letter]) => KEPT.test(letter))
      .map(([offset, letter]) => ({ node, offset, letter })),
  );
}

function kept(text) {
  return text.split("").filter((letter) => KEPT.test(letter)).join("");
}

function textNodes(root) {
  root.normalize(); // neighbouring texts become one
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}

// One mark for each text that the statement runs through; its tag follows the last one.
function wrap({ support, places }) {
  const nodes = [...new Set(places.map(({ node }) => node))];
  const [first, last] = [places[0], places.at(-1)];
  let end = last.offset + 1;
  while (ENDING.test(last.node.data[end] ?? "")) end += 1;
  for (const node of nodes.reverse()) {
    const range = document.createRange();
    range.setStart(node, node === first.node ? first.offset : 0);
    range.setEnd(node, node === last.node ? end : node.length);
    const mark = element("mark", { class: support });
    range.surroundContents(mark);
    if (node === last.node) mark.after(element("span", { class: "tag" }, SUPPORT[support].tag));
  }
}
