import * as z from 'zod';

import { CREATE, defineTool, DESTROY, READ } from '../../mcp/toolset.ts';
import { sessionRef } from '../../sessions/model.ts';
import { fenced, fencedLine, shownLine } from '../../lib/untrusted.ts';
import { MAX_PAGE, reference, remark } from '../model.ts';
import type { Quote } from '../model.ts';
import type { QuoteService } from '../quote-service.ts';
import { counted, cursor, nextCursor, REMARK_CHARACTERS, session, untrusted, withUntrusted } from './shared.ts';

const shownQuote = z.object({
  id: z.string(),
  source: z.string(),
  unit: z.string(),
  part: z.int(),
  start: z.int(),
  end: z.int(),
  sha256: z.string().describe('Of the snapshot in which it stands'),
  why: z.string().optional(),
});

/** Tools around quotes. */
export function quoteTools(service: QuoteService) {
  const add = defineTool('quote_add', {
    title: 'Add a quote',
    description:
      'Keeps a passage of a source as a quote. It is accepted only if it stands there verbatim, white space and kinds of quotation marks aside; otherwise the nearest passages come back.',
    behaviour: { ...CREATE, idempotent: true },
    input: z.strictObject({
      session,
      source: reference.describe('Key or id'),
      text: z.string().min(1).max(200_000),
      why: remark.default('').describe('What it proves'),
    }),
    output: z.object({ session: sessionRef, accepted: z.boolean(), quote: shownQuote.optional(), untrusted }),
    handle: async (input, { workspace }) => {
      const answer = await service.add(workspace, input);
      if (answer.accepted)
        return {
          session: answer.session,
          accepted: true,
          quote: showQuote(answer.quote),
          untrusted: fenced(answer.quote.text),
        };
      const near = answer.nearest.map(
        ({ text, part, label, start }) =>
          `part ${part}${label === '' ? '' : ` (${shownLine(label, 80)})`}, from ${start}: ${shownLine(text, 600)}`,
      );
      return { session: answer.session, accepted: false, untrusted: near.length === 0 ? '' : fenced(near.join('\n')) };
    },
    text: ({ accepted, quote, untrusted: outside }) =>
      withUntrusted(
        [
          accepted && quote
            ? `Accepted: ${line(quote)}.`
            : `Not accepted: this does not stand in the source word for word. Nothing was kept. ${outside === '' ? 'No passage is like it.' : 'The passages most like it:'}`,
        ],
        outside,
      ),
  });

  const list = defineTool('quote_list', {
    title: 'List quotes',
    description: 'The quotes of a research, or of one source, in the order in which they were added.',
    behaviour: READ,
    input: z.strictObject({
      session,
      source: reference.optional(),
      limit: z.int().min(1).max(MAX_PAGE).default(20),
      cursor,
    }),
    output: z.object({ session: sessionRef, quotes: z.array(shownQuote), untrusted, next_cursor: nextCursor }),
    handle: async ({ source, cursor: from, ...input }, { workspace }) => {
      const page = await service.list(workspace, { session: input.session, source, limit: input.limit, cursor: from });
      return {
        session: page.session,
        quotes: page.quotes.map(showQuote),
        untrusted:
          page.quotes.length === 0
            ? ''
            : fenced(page.quotes.map(({ id, text }) => `${id}: ${shownLine(text, 1500)}`).join('\n')),
        next_cursor: page.nextCursor,
      };
    },
    text: ({ session: { slug }, quotes, untrusted: outside, next_cursor }) =>
      quotes.length === 0
        ? `No quotes in ${slug}.`
        : withUntrusted(
            [...quotes.map(line), next_cursor === undefined ? undefined : `More: cursor ${next_cursor}`],
            outside,
          ),
  });

  const check = defineTool('quote_check', {
    title: 'Prove the quotes',
    description: 'Proves the quotes of a research again, from the stored bytes: which stand, and which do not.',
    behaviour: READ,
    input: z.strictObject({ session, cursor }),
    output: z.object({
      session: sessionRef,
      checked: z.int(),
      proved: z.int(),
      failed: z.array(z.object({ id: z.string(), source: z.string(), outcome: z.string() })),
      next_cursor: nextCursor,
    }),
    handle: async (input, { workspace }) => {
      const {
        session: within,
        checked,
        nextCursor: next,
      } = await service.check(workspace, { session: input.session, cursor: input.cursor });
      const failed = checked.filter(({ outcome }) => outcome !== 'proved');
      return {
        session: within,
        checked: checked.length,
        proved: checked.length - failed.length,
        failed: failed.slice(0, SHOWN).map(({ id, key, outcome }) => ({ id, source: key, outcome })),
        next_cursor: next,
      };
    },
    text: ({ checked, proved, failed, next_cursor }) =>
      [
        `Proved again from the stored bytes: ${proved} of ${counted(checked, 'quote')}.`,
        ...failed.map(({ id, source, outcome }) => `${id} of ${source}: ${outcome}`),
        ...(next_cursor === undefined ? [] : [`More: cursor ${next_cursor}`]),
      ].join('\n'),
  });

  const remove = defineTool('quote_remove', {
    title: 'Remove a quote',
    description: 'Removes a quote from a research. Its source stays.',
    behaviour: DESTROY,
    input: z.strictObject({ session, quote: reference }),
    output: z.object({ session: sessionRef, removed: z.string() }),
    handle: async ({ session: within, quote }, { workspace }) => {
      const { session: where, id } = await service.remove(workspace, within, quote);
      return { session: where, removed: id };
    },
    text: ({ removed }) => `Removed ${removed}.`,
  });

  return [add, list, check, remove];
}

/** Failures in one answer. */
const SHOWN = 100;

function showQuote({
  id,
  key,
  unit,
  part,
  start,
  end,
  textSha256,
  why,
  isImported,
}: Quote): z.output<typeof shownQuote> {
  return {
    id,
    source: key,
    unit,
    part,
    start,
    end,
    sha256: textSha256,
    ...(why === '' ? {} : { why: isImported ? fencedLine(why, REMARK_CHARACTERS) : why }),
  };
}

const line = ({ id, source, unit, part, why }: z.output<typeof shownQuote>) =>
  `${id} of ${source}, ${unit} ${part}${why === undefined ? '' : `: ${why}`}`;
