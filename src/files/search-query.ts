/** Words of one query; what is beyond is left out. */
const MAX_WORDS = 20;

/** What FTS5 is asked for. */
export interface Match {
  readonly words: string;
  /**
   * The same with the last word as the beginning of one, for where the words alone find nothing: it costs as much
   * as all texts that have such a word. Undefined where the last is a phrase.
   */
  readonly beginning: string | undefined;
}

/**
 * What a person or a model typed, as FTS5 takes it: all of its words, and each phrase in quotes as it stands. No
 * character of it is an operator.
 *
 * @returns undefined when there is no word in it
 */
export function matchOf(query: string): Match | undefined {
  const terms: string[] = [];
  let isPhrase = false;
  for (const [, phrase, word = ''] of query.normalize('NFC').matchAll(/"([^"]*)"|([\p{L}\p{N}\p{M}_]+)/gu)) {
    const parts = (phrase ?? word).match(/[\p{L}\p{N}\p{M}_]+/gu) ?? [];
    if (parts.length === 0 || terms.length === MAX_WORDS) continue;
    isPhrase = phrase !== undefined;
    terms.push(`"${parts.join(' ')}"`);
  }
  if (terms.length === 0) return undefined;
  const words = terms.join(' AND ');
  return { words, beginning: isPhrase ? undefined : `${words}*` };
}
