import type { Child } from 'hono/jsx';

import { shellQuoted } from '../lib/shell.ts';
import { clientLines, cursorConfig, SERVER_NAME } from './client-lines.ts';
import { ButtonLink, CopyLine } from './components.tsx';
import { installLinks } from './install-links.ts';
import type { InstallLink } from './install-links.ts';

/** How one client is connected. */
export interface ClientGuide {
  readonly name: string;
  /** It runs in a data centre, so it cannot reach a Carrel that runs on somebody's own computer. */
  readonly fromTheCloud: boolean;
  readonly steps: readonly Child[];
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function Links({ links }: { readonly links: readonly InstallLink[] }) {
  return (
    <div class="row">
      {links.map(({ label, href }) => (
        <ButtonLink href={href}>{label}</ButtonLink>
      ))}
    </div>
  );
}

/**
 * The exact steps for each client that people ask about, as these clients worked in November 2026.
 *
 * @param mcpUrl the address of the MCP endpoint; from the settings, never from the request
 */
export function clientGuides(mcpUrl: string): readonly ClientGuide[] {
  const lines = new Map(clientLines(mcpUrl, shellQuoted).map(({ client, words }) => [client, words.join(' ')]));
  const line = (client: string) => <CopyLine text={lines.get(client) ?? ''} />;
  return [
    {
      name: 'Claude',
      fromTheCloud: true,
      steps: [
        <>
          Have Claude fill it in:
          <Links links={[installLinks.claude(mcpUrl)]} />
          Or open <strong>Customize</strong> → <strong>Connectors</strong> in Claude, press <strong>+</strong>, then{' '}
          <strong>Add custom connector</strong>, name it Carrel and paste the address:
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
          In a terminal, in the folder of the project, or with <code>--scope user</code> for all projects:
          {line('Claude Code')}
        </>,
        <>
          Sign in:
          <CopyLine text={`claude mcp login ${SERVER_NAME}`} />
          Or, in a session, type <code>/mcp</code>, choose {SERVER_NAME}, then <strong>Authenticate</strong>.
        </>,
      ],
    },
    {
      name: 'Cursor',
      fromTheCloud: false,
      steps: [
        <>
          Let Cursor write it down:
          <Links links={[installLinks.cursor(mcpUrl, SERVER_NAME)]} />
          Or put it into <code>~/.cursor/mcp.json</code> yourself, beside what is there:
          <CopyLine text={json(cursorConfig(mcpUrl, SERVER_NAME))} />
        </>,
        <>In Cursor's list of MCP servers, sign in where it says that {SERVER_NAME} needs it.</>,
      ],
    },
    {
      name: 'VS Code',
      fromTheCloud: false,
      steps: [
        <>
          Let VS Code write it down:
          <Links links={[installLinks.vscode(mcpUrl, SERVER_NAME), installLinks.vscodeInsiders(mcpUrl, SERVER_NAME)]} />
          Or in a terminal:
          {line('VS Code')}
        </>,
        <>
          Start the server (<strong>MCP: List Servers</strong>, {SERVER_NAME}) and let VS Code open the sign-in.
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
          {line('Codex')}
        </>,
        <>
          If the sign-in does not open by itself:
          <CopyLine text={`codex mcp login ${SERVER_NAME}`} />
        </>,
      ],
    },
    {
      name: 'goose',
      fromTheCloud: false,
      steps: [
        <>
          In goose Desktop:
          <Links links={[installLinks.goose(mcpUrl, SERVER_NAME)]} />
          Or, in a terminal, run <code>goose configure</code>, choose <strong>Add Extension</strong>, then{' '}
          <strong>Remote Extension (Streamable HTTP)</strong>, and paste the address:
          <CopyLine text={mcpUrl} />
        </>,
        <>When goose first connects, a browser opens and you sign in.</>,
      ],
    },
    {
      name: 'LM Studio',
      fromTheCloud: false,
      steps: [
        <>
          Let LM Studio write it into its <code>mcp.json</code>:
          <Links links={[installLinks.lmStudio(mcpUrl, SERVER_NAME)]} />
        </>,
        <>Sign in when it asks. Its documentation does not say which versions can; if yours does not ask, it cannot.</>,
      ],
    },
    {
      name: 'MCP Inspector',
      fromTheCloud: false,
      steps: [
        <>
          In a terminal, with Node 22 or newer:
          {line('MCP Inspector')}
        </>,
        <>
          Open the address that it prints, press <strong>Connect</strong> and sign in.
        </>,
      ],
    },
  ];
}
