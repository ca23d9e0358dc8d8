// Where things are in texts: the API counts Unicode code points, JavaScript UTF-16 units.

export function unitOffset(text, codePoints) {
  if (!/[\ud800-\udfff]/.test(text)) return codePoints;
  let units = 0;
  for (const character of text) {
    if (codePoints-- <= 0) break;
    units += character.length;
  }
  return units;
}

// The link that opens a passage; it also works on reload, in a new tab and with Back.
export function linkTo({ document_id, start, end, version }) {
  return "#" + new URLSearchParams({ doc: document_id, start, end, version });
}

export function placeIn(hash) {
  const fields = new URLSearchParams(hash.slice(1));
  if (!fields.get("doc")) return null;
  const [start, end] = ["start", "end"].map((name) => Number(fields.get(name)) || 0);
  return { documentId: fields.get("doc"), start, end, version: fields.get("version") };
}
