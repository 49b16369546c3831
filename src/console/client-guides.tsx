import type { Child } from 'hono/jsx';

import { ButtonLink, CopyLine } from './components.tsx';

/** How one client is connected. */
export interface ClientGuide {
  readonly name: string;
  /** It runs in a data centre, so it cannot reach a Carrel that runs on somebody's own computer. */
  readonly fromTheCloud: boolean;
  readonly steps: readonly Child[];
}

// What clients call the server; people may choose another name.
const NAME = 'carrel';

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function cursorLink(mcpUrl: string): string {
  const config = encodeURIComponent(btoa(JSON.stringify({ url: mcpUrl })));
  return `cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${config}`;
}

function vscodeLink(mcpUrl: string): string {
  return `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: NAME, type: 'http', url: mcpUrl }))}`;
}

/**
 * The exact steps for each client that people ask about, as these clients worked in November 2026.
 *
 * @param mcpUrl the address of the MCP endpoint; from the settings, never from the request
 */
export function clientGuides(mcpUrl: string): readonly ClientGuide[] {
  return [
    {
      name: 'Claude',
      fromTheCloud: true,
      steps: [
        <>
          In Claude, on the web or the desktop, open <strong>Customize</strong> → <strong>Connectors</strong>.
        </>,
        <>
          Press <strong>+</strong>, then <strong>Add custom connector</strong>. Name it Carrel and paste the address:
          <CopyLine text={mcpUrl} />
        </>,
        <>
          Press <strong>Add</strong>, then <strong>Connect</strong>. The phone apps have it too from then on. In a Team
          or Enterprise organisation an owner adds it first.
        </>,
      ],
    },
    {
      name: 'Claude Code',
      fromTheCloud: false,
      steps: [
        <>
          In a terminal:
          <CopyLine text={`claude mcp add --transport http --scope user ${NAME} ${mcpUrl}`} />
        </>,
        <>
          Sign in:
          <CopyLine text={`claude mcp login ${NAME}`} />
          Or, in a session, type <code>/mcp</code>, choose {NAME}, then <strong>Authenticate</strong>.
        </>,
      ],
    },
    {
      name: 'Cursor',
      fromTheCloud: false,
      steps: [
        <>
          Let Cursor write it down:
          <br />
          <ButtonLink href={cursorLink(mcpUrl)}>Add to Cursor</ButtonLink>
          <br />
          Or put it into <code>~/.cursor/mcp.json</code> yourself, beside what is there:
          <CopyLine text={json({ mcpServers: { [NAME]: { url: mcpUrl } } })} />
        </>,
        <>In Cursor's list of MCP servers, sign in where it says that {NAME} needs it.</>,
      ],
    },
    {
      name: 'VS Code',
      fromTheCloud: false,
      steps: [
        <>
          Let VS Code write it down:
          <br />
          <ButtonLink href={vscodeLink(mcpUrl)}>Add to VS Code</ButtonLink>
          <br />
          Or run <strong>MCP: Open User Configuration</strong> from the Command Palette and add it yourself:
          <CopyLine text={json({ servers: { [NAME]: { type: 'http', url: mcpUrl } } })} />
        </>,
        <>
          Start the server (<strong>MCP: List Servers</strong>, {NAME}) and let VS Code open the sign-in.
        </>,
      ],
    },
    {
      name: 'ChatGPT',
      fromTheCloud: true,
      steps: [
        <>
          On the web, open <strong>Settings</strong> → <strong>Apps</strong> → <strong>Advanced settings</strong> and
          switch on <strong>Developer mode</strong>. A work account may need its admin for this.
        </>,
        <>
          Press <strong>Create app</strong>, name it Carrel, choose <strong>OAuth</strong> and paste the address:
          <CopyLine text={mcpUrl} />
        </>,
        <>
          Press <strong>Create</strong> and sign in. In a chat, pick Carrel from the <strong>+</strong> menu.
        </>,
      ],
    },
    {
      name: 'Codex',
      fromTheCloud: false,
      steps: [
        <>
          In a terminal:
          <CopyLine text={`codex mcp add ${NAME} --url ${mcpUrl}`} />
        </>,
        <>
          If the sign-in does not open by itself:
          <CopyLine text={`codex mcp login ${NAME}`} />
        </>,
      ],
    },
    {
      name: 'MCP Inspector',
      fromTheCloud: false,
      steps: [
        <>
          In a terminal, with Node 22 or newer:
          <CopyLine text={`npx @modelcontextprotocol/inspector --transport http --server-url ${mcpUrl}`} />
        </>,
        <>
          Open the address that it prints, press <strong>Connect</strong> and sign in.
        </>,
      ],
    },
  ];
}
