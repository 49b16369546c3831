import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { ROOT } from '../../scripts/lib/paths.ts';
import { hasCurl, shell } from '../clients/adapters/curl.ts';
import { Folder } from '../clients/adapters/folder.ts';
import { useDeployment } from './support/deployment.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

const PAGE = join(ROOT, 'docs/research.md');
const YOU = 'you@example.com';
const GRACE = 'grace@example.com';

const deployment = useDeployment();

/**
 * Runs the commands of docs/research.md in their order. With `-u` the page gets what they answer; without, it has to be
 * what is printed there, but for what is new each time.
 */
it('docs/research.md prints what its commands answer', async () => {
  const folder = new Folder();
  onTestFinished(() => folder.remove());
  const address = `${deployment.mcpUrl}?toolsets=sessions,files,research`;
  const [you, grace] = [await signUp(address, YOU), await signUp(address, GRACE)];
  const { prompts } = await you.client.listPrompts();
  const names = new Set(prompts.map(({ name }) => name));
  let file = '';

  const answer = async (command: string): Promise<string> => {
    if (command.startsWith('curl ')) {
      const line = command.replace('http://localhost:8787', deployment.origin).replace(/\bID$/, file);
      await shell(`GRACE=${grace.token}; ${line}`, you.token, folder.path);
      return '';
    }
    const { name, input, email } = parsed(command);
    const person = email === GRACE ? grace : you;
    const text = await (names.has(name) ? prompted(person, name, input) : called(person, name, input));
    file = /\bfil_\w+/.exec(text)?.[0] ?? file;
    return text.trimEnd();
  };

  const page = readFileSync(PAGE, 'utf8');
  const steps = [...page.matchAll(/^```sh\n(?<commands>.*?)^```\n(?:\n```text\n(?<printed>.*?)^```\n)?/gms)];
  expect(steps.length).toBeGreaterThan(15);
  const like = new Like();
  let played = page;
  for (const { 0: whole, groups = {} } of steps) {
    const { commands = '', printed } = groups;
    // Nothing but npm is needed to run the tests; what comes behind these lines needs what they do.
    if (commands.startsWith('curl ') && !hasCurl) break;
    const answers: string[] = [];
    for (const command of commands.trim().split(/\n+(?=npm |curl )/)) answers.push(await answer(command));
    if (printed === undefined) continue;
    const said = `${answers.join('\n\n')}\n`;
    played = played.replace(whole, () =>
      whole.replace(`\`\`\`text\n${printed}`, () => `\`\`\`text\n${like.the(printed, said)}`),
    );
  }
  await expect(played).toMatchFileSnapshot(PAGE);
}, 120_000);

/** What somebody typed who copied it: `npm run call -- name 'json'`, which may go on in a further line. */
function parsed(command: string): { name: string; input: Record<string, unknown>; email: string | undefined } {
  const { groups } =
    /^npm run call -- (?<name>\w+) '(?<json>[^']*)'(?: --email (?<email>\S+))?$/.exec(
      command.replaceAll("'\\\n'", ''),
    ) ?? {};
  if (!groups) throw new Error(`no command: ${command}`);
  return {
    name: groups['name'] ?? '',
    input: JSON.parse(groups['json'] ?? '') as Record<string, unknown>,
    email: groups['email'],
  };
}

/** As `npm run call` prints it. */
async function called({ client }: Person, name: string, input: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: input });
  return content.map((block) => (block.type === 'text' ? block.text : `(${block.type})`)).join('\n');
}

async function prompted({ client }: Person, name: string, input: Record<string, unknown>): Promise<string> {
  const { messages } = await client.getPrompt({ name, arguments: input as Record<string, string> });
  return messages.map(({ role, content }) => `${role}: ${content.type === 'text' ? content.text : ''}`).join('\n');
}

/** Marks of a fence, ids, sizes, and days of this century, which is when the page is read. */
const NEW =
  /\buntrusted-\w{8}\b|\b[a-z]{3}_\w{20}\b|\b\d+(?= bytes\b)|\b20\d\d-\d\d-\d\d\b|\b[A-Z][a-z]+ \d{1,2}, 20\d\d\b/g;

/** Tells what is printed from what is answered, but for what is new each time. */
class Like {
  /** By an id that was answered, the one that is printed in its place: always the same. */
  readonly #ids = new Map<string, string>();

  /** @returns what was answered, with what is new each time as it is printed */
  the(printed: string, answered: string): string {
    const there = printed.match(NEW) ?? [];
    if (there.length !== answered.match(NEW)?.length) return answered;
    let index = 0;
    return answered.replaceAll(NEW, (found) => {
      const mark = there[index++] ?? found;
      if (!/^[a-z]{3}_/.test(found)) return /\d/.test(mark) ? mark : found;
      if (!mark.startsWith(found.slice(0, 4)) || (this.#ids.get(found) ?? mark) !== mark) return found;
      this.#ids.set(found, mark);
      return mark;
    });
  }
}
