import { CarrelError } from '../lib/errors.ts';
import type { Step } from './import/importer.ts';
import type { Dataset, ImportPlan, Outcome, QueryPlan, QueryResult } from './model.ts';

/** What the object of a workspace's tables does. */
export interface DatasetCalls {
  list(): Dataset[] | Promise<Dataset[]>;
  /** @throws CarrelError `not_found` */
  remove(name: string): Promise<Dataset>;
  /** Whether an import could begin now. @throws CarrelError as `Importer.begin` */
  checkImport(plan: ImportPlan): Promise<void>;
  /** Whether SQLite takes a query. @throws CarrelError as `runQuery` */
  checkQuery(plan: QueryPlan): Promise<void>;
  /** See `Importer.begin`. */
  beginImport(job: string, plan: ImportPlan): Promise<Step>;
  /** See `Importer.step`. */
  stepImport(job: string, number: number): Promise<Step>;
  /** Forgets an import that was not completed, and all that it stored. */
  discardImport(job: string): Promise<void>;
  /** See `runQuery`. A query of a job that was done already gives what it gave. */
  query(job: string, plan: QueryPlan): Promise<QueryResult>;
  /** Ends a query that runs. */
  stop(job: string): void | Promise<void>;
  /** A part of a result's file; undefined beyond its last. */
  resultPart(job: string, part: number): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  discardResult(job: string): void | Promise<void>;
  /** Removes everything. */
  wipe(): Promise<void>;
}

/** The tables of workspaces. Whoever calls has had the workspace check its caller before. */
export interface Datasets {
  open(workspaceId: string): RemoteDatasets;
}

type Called = {
  readonly [Name in keyof DatasetCalls]: (
    ...parameters: Parameters<DatasetCalls[Name]>
  ) => Promise<Awaited<ReturnType<DatasetCalls[Name]>>>;
};
export type RemoteDatasets = Called;

/** The object, as the Worker sees it. */
export interface DatasetsStub {
  run(method: string, parameters: readonly unknown[]): Promise<Outcome>;
}

/** The tables, over the RPC of Durable Objects. */
export class RpcDatasets implements Datasets {
  readonly #stub: (workspaceId: string) => DatasetsStub;

  constructor(stub: (workspaceId: string) => DatasetsStub) {
    this.#stub = stub;
  }

  open(workspaceId: string): RemoteDatasets {
    const stub = this.#stub(workspaceId);
    return new Proxy({} as RemoteDatasets, {
      get: (_target, method) =>
        // What awaits this looks for a `then`, and would wait for it for ever.
        typeof method === 'symbol' || method === 'then'
          ? undefined
          : async (...parameters: unknown[]) => {
              const outcome = await stub.run(method, parameters);
              if (outcome.ok) return outcome.value;
              const { code, message, details } = outcome.error;
              throw new CarrelError(code, message, { details });
            },
    });
  }
}
