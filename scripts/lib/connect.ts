import { COLUMNS, faint, link, strong } from './terminal.ts';

interface ConnectLine {
  readonly client: string;
  readonly note: string;
  /** The words of one command, or of one line for a file; each is kept whole. */
  readonly words: readonly string[];
}

function quote(json: string): string {
  return process.platform === 'win32' ? `"${json.replaceAll('"', '\\"')}"` : `'${json}'`;
}

/** One line for each client, as its own documentation has it; `url` is the MCP address. */
export function connectLines(url: string, name = 'carrel'): readonly ConnectLine[] {
  return [
    {
      client: 'Claude Code',
      note: 'then /mcp signs in',
      words: ['claude mcp add', '--transport http', name, url],
    },
    {
      client: 'Cursor',
      note: 'in ~/.cursor/mcp.json',
      words: [JSON.stringify({ mcpServers: { [name]: { url } } })],
    },
    {
      client: 'VS Code',
      note: '',
      words: ['code --add-mcp', quote(JSON.stringify({ name, type: 'http', url }))],
    },
    {
      client: 'Codex',
      note: 'signs in at once',
      words: ['codex mcp add', name, `--url ${url}`],
    },
    {
      client: 'MCP Inspector',
      // Elsewhere npm picks a version for the Node.js that is there, which may be too old for this server.
      note: 'in this folder',
      words: ['npx @modelcontextprotocol/inspector', '--transport http', `--server-url ${url}`],
    },
  ];
}

/** A command over as many lines as it needs; a shell still reads it as one. */
function commandLines(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    // cmd.exe does not know the backslash at a line's end; there the terminal may break the line.
    if (line !== '' && longer.length > width - 2 && process.platform !== 'win32') {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line = longer;
  }
  return [...lines, line];
}

/** The clients and their lines, laid out for a terminal. */
export function renderConnectLines(url: string): string {
  return connectLines(url)
    .map(({ client, note, words }) => {
      const title = `  ${strong(client)}${note === '' ? '' : `  ${faint(note)}`}`;
      return [title, ...commandLines(words, COLUMNS - 4).map((line) => `    ${link(line)}`)].join('\n');
    })
    .join('\n');
}
