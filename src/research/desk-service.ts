import type { FileService, FileWorkspace } from '../files/service.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { asCarrelError } from '../lib/errors.ts';
import { noSuchSession } from '../sessions/model.ts';
import type { DeskCounts } from './desk-store.ts';
import type { Desk } from './model.ts';

export type DeskWorkspace = FileWorkspace & Pick<OpenWorkspace, 'sessions' | 'desks'>;

/** UTF-16 code units of all files with guidelines that every agent is given; the rest it reads. */
const MAX_GUIDELINE_TEXT = 16_000;

export interface DeskInput {
  /** Title, slug or id; undefined for the default session. */
  readonly session: string | undefined;
  readonly topic: string | undefined;
  readonly question: string | undefined;
  readonly guidelines: string | undefined;
  /** Ids or paths; undefined: as they are. */
  readonly guidelineFiles: readonly string[] | undefined;
}

/** A research, how far it is, and what comes next. */
export interface DeskStatus {
  readonly desk: Desk;
  readonly counts: DeskCounts;
  readonly next: readonly string[];
}

/** The research of a session as a whole. */
export class DeskService {
  readonly #files: FileService;

  constructor(files: FileService) {
    this.#files = files;
  }

  /** Begins a research, in a session that is made for it if there is none of that name; or goes on with one. */
  async open(workspace: DeskWorkspace, input: DeskInput): Promise<DeskStatus & { readonly created: boolean }> {
    const opened =
      input.session === undefined ? undefined : await workspace.sessions.open(input.session, undefined, Date.now());
    if (input.session !== undefined && !opened) throw noSuchSession();
    const session = opened?.session.id;
    const guidelineFiles =
      input.guidelineFiles &&
      (await Promise.all(
        input.guidelineFiles.map(async (file) => (await this.#files.find(workspace, { file, session })).id),
      ));
    const { created } = await workspace.desks.open(session, { ...input, guidelineFiles }, Date.now());
    return { ...(await this.status(workspace, session)), created };
  }

  async status({ desks }: DeskWorkspace, session: string | undefined): Promise<DeskStatus> {
    const { desk, counts } = await desks.status(session);
    return { desk, counts, next: nextSteps(desk, counts) };
  }

  async list({ desks }: DeskWorkspace): Promise<readonly Desk[]> {
    return desks.list(100);
  }

  async archive({ desks }: DeskWorkspace, session: string | undefined, archived: boolean): Promise<Desk> {
    return desks.archive(session, archived, Date.now());
  }

  /** What every agent that joins is told: topic, question, guidelines, and the files with more of them. Markdown. */
  async guidelines(workspace: DeskWorkspace, session: string | undefined): Promise<string> {
    const desk = await workspace.desks.get(session);
    const files: string[] = [];
    let left = MAX_GUIDELINE_TEXT;
    for (const file of desk.guidelineFiles) {
      const there = await orNothing(this.#files.find(workspace, { file, session: desk.session.id }));
      if (!there) continue;
      // What is no text, or too long to be read at once, is named: whoever follows the rules reads it.
      const text = (await orNothing(this.#files.wholeText(there))) ?? '';
      const shown = text.slice(0, left).replace(/[\uD800-\uDBFF]$/, '');
      const more =
        text === '' || shown.length < text.length ? `\n\n(\`file_read\` with file ${there.id} shows all of it.)` : '';
      files.push(`## ${there.path}\n\n${shown}${more}`);
      left = Math.max(0, left - text.length);
    }
    return [
      `# ${desk.topic}`,
      desk.question === '' ? undefined : `Question: ${desk.question}`,
      desk.guidelines === '' ? undefined : desk.guidelines,
      ...files,
    ]
      .filter((part) => part !== undefined)
      .join('\n\n');
  }
}

/** What there is, or undefined where it is refused: a rule that cannot be had must not hide the others. */
async function orNothing<Result>(wanted: Promise<Result>): Promise<Result | undefined> {
  try {
    return await wanted;
  } catch (thrown) {
    if (asCarrelError(thrown).code === 'unauthenticated') throw thrown;
    return undefined;
  }
}

function nextSteps({ archivedAt, isImporting }: Desk, counts: DeskCounts): string[] {
  const { sources, unread, unquoted, quotes, sections, unwritten } = counts;
  if (archivedAt !== undefined) return ['This research is archived. `research_open` takes it up again.'];
  if (isImporting)
    return ['It is being imported. If that does not end within ten minutes it broke off: `research_import` it again.'];
  if (sources === 0) return ['Add sources with `source_add`: addresses, files or text.'];
  const steps = [
    unread > 0 && `Read what nobody has read: ${unread} of ${sources} sources (\`source_list\` with view "unread").`,
    unquoted > 0 &&
      `Quote what matters (\`quote_add\`), or drop what does not (\`source_update\`): ${unquoted} of ${sources} sources ${unquoted === 1 ? 'was' : 'were'} read and not quoted.`,
    quotes > 0 && sections === 0 && 'Give the report its sections with `report_outline`.',
    unwritten > 0 && `Write the sections that are empty with \`report_write\`: ${unwritten} of ${sections}.`,
    sections > 0 && unwritten === 0 && 'Run `report_check`, mend what it finds, then `report_export`.',
  ];
  return steps.filter((step) => step !== false);
}
