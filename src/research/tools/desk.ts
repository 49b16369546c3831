import * as z from 'zod';

import { defineTool, READ, UPDATE } from '../../mcp/toolset.ts';
import { sessionReference, sessionRef } from '../../sessions/model.ts';
import type { DeskService, DeskStatus } from '../desk-service.ts';
import { guidelines, question, reference, topic } from '../model.ts';
import { progressWords, requireFiles, session } from './shared.ts';

const status = z.object({
  session: sessionRef,
  topic: z.string(),
  question: z.string(),
  guidelines: z.string(),
  guideline_files: z.array(z.string()),
  counts: z.record(z.string(), z.int()),
  next: z.array(z.string()),
  archived: z.boolean(),
});

/** Tools around a research as a whole. */
export function deskTools(service: DeskService) {
  const open = defineTool('research_open', {
    title: 'Open a research',
    description:
      'Begins a research in a session, or joins the one that is there, and says by which guidelines and what comes next: gather with source_add, read with source_read, prove with quote_add, write with report_write.',
    behaviour: UPDATE,
    input: z.strictObject({
      session: sessionReference.optional().describe('Title, slug or id; else `default`'),
      topic: topic.optional(),
      question: question.optional(),
      guidelines: guidelines.optional().describe('For every agent that joins'),
      guideline_files: z.array(reference).max(10).optional().describe('Ids or paths of files with more'),
    }),
    output: status.extend({ created: z.boolean() }),
    handle: async (input, { workspace, principal }) => {
      if (input.guideline_files) requireFiles(principal, 'files:read');
      const opened = await service.open(workspace, {
        session: input.session,
        topic: input.topic,
        question: input.question,
        guidelines: input.guidelines,
        guidelineFiles: input.guideline_files,
      });
      return { ...show(opened), created: opened.created };
    },
    text: ({ created, ...output }) => `${created ? 'Begun' : 'Joined'}: ${said(output)}`,
  });

  const get = defineTool('research_status', {
    title: 'Status of a research',
    description: 'What a research has, what is missing, and what to do next.',
    behaviour: READ,
    input: z.strictObject({ session }),
    output: status,
    handle: async (input, { workspace }) => show(await service.status(workspace, input.session)),
    text: said,
  });

  const archive = defineTool('research_archive', {
    title: 'Archive a research',
    description: 'Puts a finished research aside, or takes it up again. Nothing in it is deleted.',
    behaviour: UPDATE,
    input: z.strictObject({ session, archived: z.boolean().default(true) }),
    output: z.object({ session: sessionRef, archived: z.boolean() }),
    handle: async (input, { workspace }) => {
      const desk = await service.archive(workspace, input.session, input.archived);
      return { session: desk.session, archived: desk.archivedAt !== undefined };
    },
    text: ({ session: { slug }, archived }) => `The research in ${slug} is ${archived ? 'archived' : 'active'}.`,
  });

  return [open, get, archive];
}

function show({ desk, counts, next }: DeskStatus): z.output<typeof status> {
  return {
    session: desk.session,
    topic: desk.topic,
    question: desk.question,
    guidelines: desk.guidelines,
    guideline_files: [...desk.guidelineFiles],
    counts: { ...counts },
    next: [...next],
    archived: desk.archivedAt !== undefined,
  };
}

function said({
  session: { slug },
  topic: about,
  question: asked,
  guidelines: rules,
  guideline_files: files,
  counts,
  next,
}: z.output<typeof status>): string {
  return [
    `${about} (session ${slug})`,
    asked === '' ? undefined : `Question: ${asked}`,
    rules === '' ? undefined : `Guidelines:\n${rules}`,
    files.length === 0 ? undefined : `More guidelines in the files ${files.join(', ')} (\`file_read\`)`,
    progressWords(counts),
    ...next.map((step) => `Next: ${step}`),
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}
