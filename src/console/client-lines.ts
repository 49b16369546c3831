/** What clients call the server; people may choose another name. */
export const SERVER_NAME = 'carrel';

/** A line that connects a client, for a terminal or for a file. */
export interface ClientLine {
  readonly client: string;
  readonly note: string;
  /** The words of one command, or of one line for a file; each is kept whole when it must be broken. */
  readonly words: readonly string[];
}

export const cursorConfig = (url: string, name: string) => ({ mcpServers: { [name]: { url } } });
const vscodeServer = (url: string, name: string) => ({ name, type: 'http', url });

/**
 * One line for each client that has one, as its own documentation has it: for the start page, for the
 * banner of `npm start` and for the README alike.
 *
 * @param url the MCP address
 * @param quoted one word for the shell of whoever reads it
 */
export function clientLines(
  url: string,
  quoted: (word: string) => string,
  name: string = SERVER_NAME,
): readonly ClientLine[] {
  return [
    {
      client: 'Claude Code',
      note: 'then /mcp signs in',
      words: ['claude mcp add', '--transport http', name, url],
    },
    {
      client: 'Cursor',
      note: 'in ~/.cursor/mcp.json',
      words: [JSON.stringify(cursorConfig(url, name))],
    },
    {
      client: 'VS Code',
      note: '',
      words: ['code --add-mcp', quoted(JSON.stringify(vscodeServer(url, name)))],
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
