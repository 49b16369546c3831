/** The way of a person from the link that an app shows to the address that the app waits at. */
export type Follow = (link: URL) => Promise<URL>;

/** One connection of an app, as the story needs it. */
export interface Connection {
  /** The names of the tools, in the order in which the server lists them. */
  listTools(): Promise<string[]>;
  /** The structured result of a tool; rejects with the tool's own words when it failed. */
  call(name: string, input: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The text of a resource. */
  read(uri: string): Promise<string>;
  /** The revision of the protocol that was spoken; undefined where the client does not tell. */
  revision(): string | undefined;
  close(): Promise<void>;
}

/** One installation of a client: what it keeps of one connection, the next one has. */
export interface App {
  /** Asks `follow` for its person where it has nothing to connect with. */
  connect(mcpUrl: string, follow: Follow): Promise<Connection>;
  /** Ends what runs and deletes what it keeps. */
  remove(): Promise<void> | void;
}

/** The result of tools/call; the clients' own types of it agree in nothing else. */
export type ToolResult = Readonly<Record<string, unknown>>;

export function structured(name: string, result: ToolResult): Record<string, unknown> {
  if (result['isError'] === true) throw new Error(`${name}: ${JSON.stringify(result['content'])}`);
  return (result['structuredContent'] ?? {}) as Record<string, unknown>;
}

export function onlyText(result: { readonly contents: readonly unknown[] }): string {
  const [first, ...others] = result.contents as { text?: string }[];
  if (first?.text === undefined || others.length > 0) throw new Error(`no text: ${JSON.stringify(result)}`);
  return first.text;
}
