import { utf8 } from '../lib/encoding.ts';

/** A link that opens a client and has it ask whether to add this server. */
export interface InstallLink {
  readonly label: string;
  readonly href: string;
}

const ABOUT = 'A private workspace that all of your assistants share';

/** Base64 with padding, of text that may be any: `btoa` alone takes Latin-1. */
function base64(text: string): string {
  return btoa(Array.from(utf8(text), (byte) => String.fromCharCode(byte)).join(''));
}

function query(fields: Readonly<Record<string, string>>): string {
  // Not URLSearchParams: it writes a space as `+`, which a link that is no form does not mean.
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

/**
 * The links of one client each, as its documentation has them. They hold the address and no secret;
 * the client signs in by itself afterwards.
 *
 * @param url the MCP address
 * @param name what the client calls the server
 */
export const installLinks = {
  claude: (url: string): InstallLink => ({
    label: 'Add to Claude',
    href: `https://claude.ai/customize/connectors?${query({ modal: 'add-custom-connector', connectorName: 'Carrel', connectorUrl: url })}`,
  }),
  cursor: (url: string, name: string): InstallLink => ({
    label: 'Add to Cursor',
    href: `cursor://anysphere.cursor-deeplink/mcp/install?${query({ name, config: base64(JSON.stringify({ url })) })}`,
  }),
  vscode: (url: string, name: string): InstallLink => ({
    label: 'Add to VS Code',
    href: `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name, type: 'http', url }))}`,
  }),
  vscodeInsiders: (url: string, name: string): InstallLink => ({
    label: 'Add to VS Code Insiders',
    href: `vscode-insiders:mcp/install?${encodeURIComponent(JSON.stringify({ name, type: 'http', url }))}`,
  }),
  goose: (url: string, name: string): InstallLink => ({
    label: 'Add to goose',
    href: `goose://extension?${query({ type: 'streamable_http', url, id: name, name, description: ABOUT })}`,
  }),
  lmStudio: (url: string, name: string): InstallLink => ({
    label: 'Add to LM Studio',
    href: `lmstudio://add_mcp?${query({ name, config: base64(JSON.stringify({ url })) })}`,
  }),
} as const;
