import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

import type { Bindings } from '../../src/app.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { Connection, OAuthClient, ORIGIN, Person, send } from './person.ts';

const { FILES, WORKSPACE } = env as unknown as Bindings;

/** A file, as tools and HTTP show it. */
export interface Shown {
  readonly id: string;
  readonly path: string;
  readonly type: string;
  readonly size: number;
  readonly sha256: string;
  readonly version: number;
  readonly tags?: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
}

/** A session, as it is named beside its files. */
export interface Ref {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
}

/** A refusal, as HTTP words it. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** A signed-in person with one client: what they do with their files, and what is stored of it. */
export class Owner extends Connection {
  readonly #mcp = new Map<string, Client>();

  /** Without a scope, the client asks for none in particular, and may do everything. */
  static async signIn(email: string, scope?: string): Promise<Owner> {
    const { client, tokens } = await new Person(email).connect(await OAuthClient.register(), { scope });
    return new Owner(client, tokens);
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return send(path, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), Authorization: `Bearer ${this.accessToken}` },
    });
  }

  /** The SDK's client, and not `rpc`: it also holds each result against the tool's output schema. */
  async mcp(query = ''): Promise<Client> {
    const there = this.#mcp.get(query);
    if (there) return there;
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    const transport = new StreamableHTTPClientTransport(new URL(`/mcp${query}`, ORIGIN), {
      fetch: send,
      requestInit: { headers: { Authorization: `Bearer ${this.accessToken}` } },
    });
    await client.connect(transport);
    this.#mcp.set(query, client);
    return client;
  }

  /** The structured result of a tool; throws with the words of its error and nothing before them. */
  async call<Result = Record<string, unknown>>(name: string, input: Record<string, unknown> = {}): Promise<Result> {
    const result = await (await this.mcp()).callTool({ name, arguments: input });
    const [first] = result.content as { text: string }[];
    if (result.isError === true) throw new Error(first?.text);
    return result.structuredContent as Result;
  }

  /** Declares a file of this content. The bytes go to the address with {@link put}. */
  async upload(
    path: string,
    content: string,
    more: Record<string, unknown> = {},
  ): Promise<{ id: string; url: string; command: string }> {
    const { upload, file } = await this.call<{ upload: { url: string; command: string }; file: Shown }>('file_upload', {
      path,
      size: utf8(content).length,
      ...more,
    });
    return { id: file.id, url: upload.url, command: upload.command };
  }

  async write(path: string, text: string, session?: string): Promise<Pick<Shown, 'id' | 'path' | 'version'>> {
    const { file } = await this.call<{ file: Pick<Shown, 'id' | 'path' | 'version'> }>('file_write', {
      path,
      text,
      ...(session === undefined ? {} : { session }),
    });
    return file;
  }

  async link(file: string): Promise<string> {
    return (await this.call<{ download: { url: string } }>('file_link', { file })).download.url;
  }

  get workspace() {
    return WORKSPACE.getByName(this.personId);
  }

  async rows(
    table:
      | 'files'
      | 'file_uploads'
      | 'loose_objects'
      | 'contents'
      | 'file_versions'
      | 'file_usage'
      | 'content_texts'
      | 'file_shares'
      | 'address_uses'
      | 'content_holds'
      | 'research_sources'
      | 'research_snapshots'
      | 'research_quotes'
      | 'research_sections'
      | 'approvals',
  ): Promise<Record<string, SqlStorageValue>[]> {
    return runInDurableObject(this.workspace, (_object, { storage }) =>
      storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
    );
  }

  /** The upload that is expected for a file. */
  async uploadOf(fileId: string): Promise<string> {
    const row = (await this.rows('file_uploads')).find((each) => each['file_id'] === fileId);
    return row?.['id'] as string;
  }

  /** Whether an attempt to store bytes of a file has begun. */
  async hasBegun(fileId: string): Promise<boolean> {
    const upload = await this.uploadOf(fileId);
    return (await this.rows('loose_objects')).some((row) => row['upload_id'] === upload);
  }

  async sql(statement: string): Promise<void> {
    await runInDurableObject(this.workspace, (_object, { storage }) => void storage.sql.exec(statement));
  }

  /** Has a task of the agenda be due, and runs it. */
  async runTask(task: 'uploads' | 'trash' | 'verify' | 'texts' | 'schedules' | 'approvals'): Promise<void> {
    await this.sql(`UPDATE agenda SET due_at = 1 WHERE task = '${task}'`);
    await runDurableObjectAlarm(this.workspace);
  }

  /** The keys of the stored bytes, of one file (its versions, and attempts at it) or of all. */
  async objects(fileId?: string): Promise<string[]> {
    const keys = (await FILES.list({ prefix: `${this.personId}/` })).objects.map(({ key }) => key);
    if (fileId === undefined) return keys;
    const owned = await runInDurableObject(this.workspace, (_object, { storage }) =>
      storage.sql
        .exec<{ key: string }>(
          `SELECT object_key AS key FROM contents WHERE sha256 IN (SELECT sha256 FROM file_versions WHERE file_id = ?1)
           UNION SELECT object_key FROM loose_objects
             WHERE upload_id IN (SELECT id FROM file_uploads WHERE file_id = ?1)`,
          fileId,
        )
        .toArray()
        .map(({ key }) => key),
    );
    return keys.filter((key) => owned.includes(key));
  }
}

/** Sends bytes to an upload's address, which is all that this needs. */
export async function put(url: string, body: BodyInit | null, headers: Record<string, string> = {}): Promise<Response> {
  return send(url, { method: 'PUT', body, headers });
}

/** A body whose length nobody knows before its end. */
export function streamOf(...pieces: (string | Uint8Array | Error)[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else if (piece instanceof Error) controller.error(piece);
      else controller.enqueue(typeof piece === 'string' ? utf8(piece) : piece);
    },
  });
}

export async function problemOf(response: Response): Promise<Problem> {
  return { ...(await response.json<Problem>()), status: response.status };
}
