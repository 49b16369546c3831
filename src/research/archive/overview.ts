import { shownLine } from '../../lib/untrusted.ts';
import type { Manifest } from './model.ts';

/** What a person sees first who opens an archive. Markdown. */
export function overviewOf({ research, sources, quotes, notes, sections, exported_at }: Manifest): string {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  const lines = [
    `# ${plain(research.topic)}`,
    research.question === '' ? undefined : plain(research.question),
    `${sources.length} sources, ${quotes.length} quotes, ${notes.length} notes, ${sections.length} sections of a report. Exported on ${day(exported_at)}; \`research_import\` takes this archive in again.`,
    research.guidelines === '' ? undefined : `## Guidelines\n\n${research.guidelines}`,
    '## Sources',
    ...sources.map(({ key, title, url, state, note, snapshots }) =>
      [
        `- **${key}**: ${plain(title)}${url === undefined ? '' : ` <${encodeURI(decodeSafe(url))}>`}${state === 'new' ? '' : ` (${state})`}${note === '' ? '' : `: ${plain(note)}`}`,
        ...snapshots.map(
          ({ number, origin, taken_at, raw, text }) =>
            `  - snapshot ${number}, ${origin} on ${day(taken_at)}: [text](${text.path}), [original](${raw.path}), SHA-256 ${raw.sha256}`,
        ),
      ].join('\n'),
    ),
    quotes.length === 0 ? undefined : '## Quotes',
    ...quotes.map(({ source, text, why }) => `> ${plain(text)}\n\n${source}${why === '' ? '' : `: ${plain(why)}`}`),
    notes.length === 0 ? undefined : '## Notes',
    ...notes.map(({ title, text }) => `### ${plain(title)}\n\n${text}`),
    sections.length === 0 ? undefined : `## Report: ${plain(research.report_title)}`,
    ...sections.map(({ heading, level, text }) => `${'#'.repeat(level + 2)} ${plain(heading)}\n\n${text}`),
  ];
  return `${lines.filter((line) => line !== undefined).join('\n\n')}\n`;
}

/** One line in which nothing is Markdown. */
function plain(text: string): string {
  return shownLine(text, 6000).replaceAll(/[\\`*_[\]<>#|]/g, (mark) => `\\${mark}`);
}

function decodeSafe(url: string): string {
  try {
    return decodeURI(url);
  } catch {
    return url;
  }
}
