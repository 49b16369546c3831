import type { FileBucket } from '../files/bucket.ts';
import { encodeCursor, placeOf } from '../lib/cursor.ts';
import type { SessionRef } from '../sessions/model.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import type { Quote } from './model.ts';
import { withinAnswer } from './paging.ts';
import { prepareText } from './quotes/passages.ts';
import { sha256Of, storedBytes, storedText } from './stored-text.ts';
import { partAt } from './window.ts';

export type QuoteWorkspace = Pick<OpenWorkspace, 'quotes' | 'sources'>;

/** Quotes that one call proves: each snapshot is one call of R2. */
const CHECKED_AT_ONCE = 500;
/** Texts that are fetched at once, of which each may have some MB: one after the other they take longer than clients wait. */
const TEXTS_AT_ONCE = 4;
const NEAREST = 3;

/** A passage that is like what was to be quoted. */
export interface NearPassage {
  readonly text: string;
  readonly start: number;
  /** From 1. */
  readonly part: number;
  readonly label: string;
}

export type QuoteAnswer = { readonly session: SessionRef } & (
  | { readonly accepted: true; readonly quote: Quote }
  | { readonly accepted: false; readonly key: string; readonly nearest: readonly NearPassage[] }
);

/** What became of the proof of one quote. `differs`: something else stands there. `gone`: the bytes are not there. */
export interface CheckedQuote {
  readonly id: string;
  readonly key: string;
  readonly outcome: 'proved' | 'differs' | 'gone';
}

/** Quotes: a passage is one only if it stands verbatim in a stored snapshot. */
export class QuoteService {
  readonly #bucket: FileBucket;

  constructor(bucket: FileBucket) {
    this.#bucket = bucket;
  }

  /** Adds a quote if it stands in the last snapshot of its source; else says what stands there that is like it. */
  async add(
    { quotes, sources }: QuoteWorkspace,
    input: {
      readonly session?: string | undefined;
      readonly source: string;
      readonly text: string;
      readonly why: string;
    },
  ): Promise<QuoteAnswer> {
    const { session, id, key, snapshot, textKey } = await sources.get(input.session, input.source, undefined);
    const text = await storedText(this.#bucket, textKey);
    const passages = prepareText(text);
    const found = passages.find(input.text);
    const place = (start: number) => partAt(snapshot.parts, start);
    if (!found) {
      const nearest = passages.nearest(input.text, NEAREST).map(({ start, end }) => ({
        text: text.slice(start, end),
        start,
        ...place(start),
      }));
      return { accepted: false, session, key, nearest };
    }
    const { start, end } = found;
    const { quote } = await quotes.add(
      session.id,
      {
        sourceId: id,
        snapshotId: snapshot.id,
        textSha256: snapshot.textSha256,
        start,
        end,
        text: text.slice(start, end),
        ...place(start),
        why: input.why,
      },
      Date.now(),
    );
    return { accepted: true, session, quote };
  }

  /**
   * Proves quotes again from the stored bytes: that these are the bytes that were hashed, and that the quote stands in
   * them where it is said to.
   */
  async check(
    { quotes, sources }: QuoteWorkspace,
    input: { readonly session?: string | undefined; readonly cursor: string | undefined },
  ): Promise<{ session: SessionRef; checked: readonly CheckedQuote[]; nextCursor: string | undefined }> {
    const after = placeOf(input.cursor, 2);
    const page = await quotes.list(input.session, undefined, CHECKED_AT_ONCE, after);
    const bySnapshot = Map.groupBy(page.quotes, ({ snapshotId }) => snapshotId);
    const outcomes = new Map<string, CheckedQuote['outcome']>();
    const prove = async ([snapshotId, group]: readonly [string, readonly Quote[]]): Promise<void> => {
      const snapshot = await sources.snapshot(snapshotId);
      const bytes = snapshot && (await storedBytes(this.#bucket, snapshot.textKey).catch(() => undefined));
      const isSame = bytes && (await sha256Of(bytes)) === snapshot.textSha256;
      const text = bytes && new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes);
      for (const quote of group) {
        const stands = isSame && quote.textSha256 === snapshot.textSha256;
        const isThere = stands && text?.slice(quote.start, quote.end) === quote.text;
        outcomes.set(quote.id, bytes ? (isThere ? 'proved' : 'differs') : 'gone');
      }
    };
    const groups = [...bySnapshot];
    for (let from = 0; from < groups.length; from += TEXTS_AT_ONCE)
      await Promise.all(groups.slice(from, from + TEXTS_AT_ONCE).map(prove));
    return {
      session: page.session,
      checked: page.quotes.map(({ id, key }) => ({ id, key, outcome: outcomes.get(id) ?? 'gone' })),
      nextCursor: page.next && encodeCursor(page.next),
    };
  }

  async list(
    { quotes }: QuoteWorkspace,
    input: {
      readonly session?: string | undefined;
      readonly source: string | undefined;
      readonly limit: number;
      readonly cursor: string | undefined;
    },
  ): Promise<{ session: SessionRef; quotes: readonly Quote[]; nextCursor: string | undefined }> {
    const page = await quotes.list(input.session, input.source, input.limit, placeOf(input.cursor, 2));
    const { items, nextCursor } = withinAnswer(page.quotes, page.next, ({ createdAt, id }) => [createdAt, id]);
    return { session: page.session, quotes: items, nextCursor };
  }

  async remove({ quotes }: QuoteWorkspace, session: string | undefined, quote: string) {
    return quotes.remove(session, quote);
  }
}
