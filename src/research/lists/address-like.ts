/** Whether text is meant as an address of a source, right or wrong. */
export function looksLikeAddress(text: string): boolean {
  return /^\s*(?:https?:\/\/\S|doi:\s*10\.|10\.\d{4,9}\/\S|arxiv:\s*\S)/i.test(text);
}
