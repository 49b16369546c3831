/** A DOI in whatever form it is written (DOI Handbook §2.2): bare, `doi:…`, `https://doi.org/…`; undefined for what is none. */
export function readDoi(text: string): string | undefined {
  const trimmed = text.slice(0, 500).trim();
  const bare = trimmed.replace(/^(?:doi:\s*|(?:https?:\/\/)?(?:dx\.|www\.)?doi\.org\/|info:doi\/|urn:doi:)/i, '');
  const decoded = bare === trimmed ? bare : unescaped(bare);
  const doi = /^10\.\d{4,9}(?:\.\d{1,9})*\/[^\s"<>]{1,200}$/.exec(decoded)?.[0];
  return doi?.replace(/[.,;]+$/, '').toLowerCase();
}

/** A DOI within the path of an address: publishers put it behind `/doi/`, `/doi/full/`, `/doi/abs/`. */
export function doiInAddress(address: string): string | undefined {
  const path = URL.parse(address)?.pathname ?? '';
  const inner = /\/doi\/(?:abs\/|epdf\/|epub\/|full\/|pdf\/|pdfdirect\/)?(10\.\d{4,9}\/[^?#]{1,200})$/.exec(path)?.[1];
  return readDoi(address) ?? (inner === undefined ? undefined : readDoi(unescaped(inner)));
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
