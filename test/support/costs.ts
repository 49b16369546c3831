/**
 * What a request costs in the units that Cloudflare bills. The Worker, the objects and the tests share
 * one isolate, so a count is a variable here, and what is counted is what really ran. Nothing is counted
 * but inside of {@link costOf}.
 */
export interface Costs {
  /** HTTP requests and scheduled runs of the Worker. */
  readonly requests: number;
  /** RPC calls to workspaces, each of which is billed as a request of an object. */
  readonly roundTrips: number;
  /** Runs of an object's alarm, billed as a request of an object too. */
  readonly alarms: number;
  /** Rows of the SQLite of objects. An alarm that is set is one row written. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly d1Statements: number;
  readonly d1RowsRead: number;
  readonly d1RowsWritten: number;
  /** Operations of R2: A stores and lists, B reads. Deleting is free. */
  readonly classA: number;
  readonly classB: number;
  /** Lines of telemetry. */
  readonly logLines: number;
  /** Of bodies, without headers. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

type Counts = { -readonly [Unit in keyof Costs]: Costs[Unit] };

const nothing = (): Counts => ({
  requests: 0,
  roundTrips: 0,
  alarms: 0,
  rowsRead: 0,
  rowsWritten: 0,
  d1Statements: 0,
  d1RowsRead: 0,
  d1RowsWritten: 0,
  classA: 0,
  classB: 0,
  logLines: 0,
  bytesIn: 0,
  bytesOut: 0,
});

/** What several things cost together. */
export function sum(parts: readonly Costs[]): Costs {
  const all = nothing();
  for (const part of parts) for (const unit of Object.keys(all) as (keyof Costs)[]) all[unit] += part[unit];
  return all;
}

export const COLUMNS = [
  'what',
  'requests',
  'round trips',
  'alarms',
  'rows read / written',
  'D1 statements, rows read / written',
  'R2 A / B',
  'log lines',
  'KB in / out',
] as const;

/** A line of the table under {@link COLUMNS}, without its first cell. */
export function cellsOf(costs: Costs): string[] {
  const { requests, roundTrips, alarms, rowsRead, rowsWritten, classA, classB, logLines } = costs;
  return [
    String(requests),
    String(roundTrips),
    String(alarms),
    `${rowsRead} / ${rowsWritten}`,
    costs.d1Statements === 0 ? '–' : `${costs.d1Statements}, ${costs.d1RowsRead} / ${costs.d1RowsWritten}`,
    classA + classB === 0 ? '–' : `${classA} / ${classB}`,
    String(logLines),
    requests === 0 ? '–' : `${kilobytes(costs.bytesIn)} / ${kilobytes(costs.bytesOut)}`,
  ];
}

/** Two digits: a word more in a description is not worth a change of the page. */
const kilobytes = (bytes: number) => String(Number((bytes / 1000).toPrecision(2)));

let counts: Counts | undefined;
/** A cursor knows its rows only at its end, and nobody says when that is: they are asked when all is over. */
let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
/** What objects still do after they have answered. A number: nobody can wait for a promise of another request. */
let unfinished = 0;

async function quiet(): Promise<void> {
  const isWorking = () => unfinished > 0;
  while (isWorking()) await scheduler.wait(1);
}

/** Counts what `act` causes, up to its last consequence that is not an alarm. */
export async function costOf(act: () => Promise<unknown>): Promise<Costs> {
  if (counts) throw new TypeError('one count at a time: nobody could tell whose is whose');
  // What came before is not counted, nor what it left to do.
  await quiet();
  const own = nothing();
  [counts, cursors] = [own, []];
  const restore = countLogLines();
  try {
    await act();
    await quiet();
    for (const cursor of cursors) {
      own.rowsRead += cursor.rowsRead;
      own.rowsWritten += cursor.rowsWritten;
    }
    return own;
  } finally {
    counts = undefined;
    restore();
  }
}

export function count(unit: keyof Costs, by = 1): void {
  if (counts) counts[unit] += by;
}

export function countD1({ meta }: { readonly meta: { rows_read?: number; rows_written?: number } }): void {
  count('d1Statements');
  count('d1RowsRead', meta.rows_read);
  count('d1RowsWritten', meta.rows_written);
}

/** A request to the Worker, with the bytes of its body and of the answer's. */
export async function countedRequest(
  request: Request,
  serve: (request: Request) => Promise<Response>,
): Promise<Response> {
  if (!counts) return serve(request);
  count('requests');
  await countBytes('bytesIn', request.clone());
  const response = await serve(request);
  await countBytes('bytesOut', response.clone());
  return response;
}

/** The bucket, with a count of its billed operations. */
export function countedBucket(bucket: R2Bucket): R2Bucket {
  return {
    put: async (...call: Parameters<R2Bucket['put']>) => (count('classA'), bucket.put(...call)),
    createMultipartUpload: async (...call: Parameters<R2Bucket['createMultipartUpload']>) => (
      count('classA'),
      bucket.createMultipartUpload(...call)
    ),
    // Its parts and its completion are not counted: no case of the table has any.
    resumeMultipartUpload: (...call: Parameters<R2Bucket['resumeMultipartUpload']>) =>
      bucket.resumeMultipartUpload(...call),
    list: async (...call: Parameters<R2Bucket['list']>) => (count('classA'), bucket.list(...call)),
    get: async (...call: Parameters<R2Bucket['get']>) => (count('classB'), bucket.get(...call)),
    head: async (...call: Parameters<R2Bucket['head']>) => (count('classB'), bucket.head(...call)),
    delete: async (...call: Parameters<R2Bucket['delete']>) => bucket.delete(...call),
  };
}

type Method = (...parameters: unknown[]) => unknown;

let isPatched = false;

/** The statements of a script. Those of a trigger's body belong to the trigger. */
function statementsOf(script: string): string[] {
  const found = script.match(/CREATE TRIGGER[\s\S]*?\bEND\b|[^;]+/g) ?? [script];
  return found.map((statement) => statement.trim()).filter((statement) => statement !== '');
}

/** Has the storage of all objects counted, from the first one's beginning. */
export function countedObject(state: DurableObjectState): DurableObjectState {
  const waitUntil = state.waitUntil.bind(state);
  state.waitUntil = (work) => {
    unfinished += 1;
    waitUntil(work.finally(() => (unfinished -= 1)));
  };
  if (isPatched) return state;
  isPatched = true;

  // Prototypes, because the runtime asks for a storage of its own and takes no stand-in.
  const sql = Object.getPrototypeOf(state.storage.sql) as SqlStorage;
  const exec = Reflect.get(sql, 'exec') as Method;
  sql.exec = function counted<Row extends Record<string, SqlStorageValue>>(
    this: SqlStorage,
    query: string,
    ...values: unknown[]
  ): SqlStorageCursor<Row> {
    // Of several statements, as schema steps have them, a cursor counts the last: they run one by one.
    const [next, ...rest] = counts && values.length === 0 ? statementsOf(query) : [query];
    const cursor = Reflect.apply(exec, this, [next, ...values]) as SqlStorageCursor<Row>;
    if (counts) cursors.push(cursor);
    return rest.length === 0 ? cursor : (sql.exec.call(this, rest.join(';')) as SqlStorageCursor<Row>);
  };
  const storage = Object.getPrototypeOf(state.storage) as DurableObjectStorage;
  const setAlarm = Reflect.get(storage, 'setAlarm') as Method;
  storage.setAlarm = async function counted(...call) {
    count('rowsWritten');
    await Reflect.apply(setAlarm, this, call);
  };
  return state;
}

async function countBytes(unit: 'bytesIn' | 'bytesOut', message: Request | Response): Promise<void> {
  count(unit, (await message.arrayBuffer()).byteLength);
}

/** @returns what puts the console back */
function countLogLines(): () => void {
  const { log, error } = console;
  const counting =
    (write: typeof log) =>
    (...words: unknown[]) => {
      if (String(words[0]).startsWith('{"type":"')) count('logLines');
      write(...words);
    };
  Object.assign(console, { log: counting(log), error: counting(error) });
  return () => void Object.assign(console, { log, error });
}
