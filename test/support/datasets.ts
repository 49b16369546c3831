import { env } from 'cloudflare:workers';

import type { Bindings } from '../../src/app.ts';
import { RpcDatasets } from '../../src/datasets/client.ts';
import type { RemoteDatasets } from '../../src/datasets/client.ts';
import type { ImportPlan, QueryPlan, QueryResult } from '../../src/datasets/model.ts';
import type { Step } from '../../src/datasets/import/importer.ts';

const { FILES, DATASETS } = env as unknown as Bindings;

const objects = new RpcDatasets((id) => DATASETS.getByName(id));

/** The tables of a workspace that nobody has, reached as the Worker reaches them. */
export class Tables {
  readonly id: string;
  readonly remote: RemoteDatasets;
  #jobs = 0;

  constructor(id: string) {
    this.id = id;
    this.remote = objects.open(id);
  }

  get stub() {
    return DATASETS.getByName(this.id);
  }

  nextJob(): string {
    return `job-${(this.#jobs += 1)}`;
  }

  /** Puts bytes into the bucket, to be imported. */
  async plan(path: string, content: string | Uint8Array, more: Partial<ImportPlan> = {}): Promise<ImportPlan> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const objectKey = `${this.id}/${path}`;
    await FILES.put(objectKey, bytes);
    const [, name = 'data', extension = 'csv'] = /^(.*)\.(\w+)$/.exec(path) ?? [];
    return {
      table: name,
      replace: false,
      format: extension as ImportPlan['format'],
      source: { id: 'fil_1', path, version: 1, session: 'default' },
      objectKey,
      size: bytes.length,
      header: 'auto',
      ...more,
    };
  }

  /** Imports a plan step by step; @param before is run before each of them, with its number */
  async run(plan: ImportPlan, before: (step: number) => unknown = () => undefined): Promise<Step[]> {
    const job = this.nextJob();
    const steps = [await this.remote.beginImport(job, plan)];
    for (let number = 0; steps.at(-1)?.table === undefined; number++) {
      await before(number);
      steps.push(await this.remote.stepImport(job, number));
    }
    return steps;
  }

  async import(path: string, content: string | Uint8Array, more: Partial<ImportPlan> = {}) {
    const steps = await this.run(await this.plan(path, content, more));
    const { table } = steps.at(-1) as Step;
    if (!table) throw new Error('no table');
    return table;
  }

  async query(sql: string, more: Partial<QueryPlan> = {}): Promise<QueryResult> {
    return this.remote.query(this.nextJob(), { sql, parameters: [], format: 'csv', limit: 1_000_000, ...more });
  }

  /** The rows of a query, as its preview has them. */
  async rows(sql: string, more: Partial<QueryPlan> = {}): Promise<QueryResult['preview']> {
    return (await this.query(sql, more)).preview;
  }

  /** The whole file of a query's result. */
  async file(sql: string, more: Partial<QueryPlan> = {}): Promise<string> {
    const job = this.nextJob();
    const { parts } = await this.remote.query(job, { sql, parameters: [], format: 'csv', limit: 1_000_000, ...more });
    let text = '';
    for (let part = 0; part < parts; part++) text += new TextDecoder().decode(await this.remote.resultPart(job, part));
    return text;
  }
}

/** What a refusal says, with its code and details. */
export async function refusal(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; details: Record<string, unknown> }> {
  try {
    await work;
  } catch (thrown) {
    return thrown as never;
  }
  throw new Error('nothing was refused');
}
