import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { ROOT } from '../paths.ts';
import type { Steps } from '../steps.ts';
import { COLUMNS, columns, faint, heading, pad, paragraph, strong } from '../terminal.ts';
import type { Case } from './cases.ts';
import { summarise } from './profile-summary.ts';
import type { Summary } from './profile-summary.ts';
import { recordProfile } from './profiler.ts';
import { takeSample } from './rounds.ts';
import { SourcePlaces } from './source-places.ts';
import type { BenchStack } from './stack.ts';

/** Where profiles are left unless something else is asked for. Git does not see it. */
export const PROFILE_FOLDER = join(ROOT, '.bench');
/** Groups of a case that are printed. */
const GROUPS = 14;
const NAME_COLUMNS = 34;

export interface CaseProfile {
  readonly profiled: Case;
  /** µs that the server took for an answer meanwhile. */
  readonly each: number;
  readonly summary: Summary;
  /** For Chrome's DevTools and for editors. */
  readonly file: string;
}

/** Takes a CPU profile of each case, one after another, and leaves them in a folder. */
export async function takeProfiles(
  steps: Steps,
  stack: BenchStack,
  cases: readonly Case[],
  { seconds, folder }: { readonly seconds: number; readonly folder: string },
): Promise<CaseProfile[]> {
  mkdirSync(folder, { recursive: true });
  const profiles: CaseProfile[] = [];
  for (const profiled of cases) {
    const taken = await steps.step({
      name: profiled.name,
      expected: 'right answers only, and a profile',
      run: async () => {
        const load = stack.load(profiled);
        await takeSample(profiled, load, Math.min(seconds, 1));
        const inspector = await stack.server(profiled.server).inspector();
        const { profile, result } = await recordProfile(inspector, () => takeSample(profiled, load, seconds));
        const file = join(folder, `${profiled.name}.cpuprofile`);
        writeFileSync(file, JSON.stringify(profile));
        const summary = summarise(profile, new SourcePlaces(stack.bundle(profiled.server)));
        // The profile counts the time on the clock, in which others may have had the processor.
        return { profiled, each: result.cpu ?? summary.busy / result.answers, summary, file };
      },
      note: ({ file }) => shown(file),
    });
    profiles.push(taken);
  }
  return profiles;
}

/** A path as a person would type it. */
function shown(path: string): string {
  const inside = relative(ROOT, path);
  return inside.startsWith('..') ? path : inside;
}

/** As many of the names as there is room for. */
function fitting(names: readonly string[], room: number): string {
  let text = '';
  for (const name of names) {
    const longer = text === '' ? name : `${text}, ${name}`;
    if (longer.length > room) break;
    text = longer;
  }
  return text;
}

function render({ profiled, each, summary }: CaseProfile): string {
  const lines = summary.groups.slice(0, GROUPS).map(({ name, self, functions }) => {
    const share = self / summary.busy;
    const time = (share * each).toFixed(1).padStart(7);
    const head = `  ${time} ${`${Math.round(share * 100)}%`.padStart(4)}  ${pad(name, NAME_COLUMNS)} `;
    const names = functions.map((spender) => spender.name);
    return `${head} ${faint(fitting(names, COLUMNS - columns(head) - 1))}`.trimEnd();
  });
  return [heading(profiled.title, `${Math.round(each)} µs for an answer`), ...lines].join('\n');
}

/** What each case spends its time on, in µs of an answer. */
export function renderProfiles(profiles: readonly CaseProfile[], folder: string): string {
  const legend =
    'µs of an answer and the share, without what is called from there, and the functions that spend most. What is built into the runtime (‹…›) counts for its caller. The profiler itself makes all of it slower.';
  return [
    ...profiles.map(render),
    '',
    faint(paragraph(legend)),
    '',
    `  ${strong(shown(folder))} ${faint('has the profiles: Chrome DevTools and editors open them')}`,
    '',
  ].join('\n');
}
