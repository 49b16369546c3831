/** Of the Chrome DevTools Protocol: a node of the tree of calls. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** From 0. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly children?: readonly number[];
}

/** Of the Chrome DevTools Protocol: what a `.cpuprofile` file holds. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** µs. */
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of the nodes that were found running, and the µs before each. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** µs between two looks at the stack. */
const INTERVAL = 200;

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** The inspector of workerd or of Node.js, over its WebSocket. */
class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Answer));
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the inspector went away'));
    });
  }

  static async connect(address: string): Promise<Inspector> {
    const socket = new WebSocket(address);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve(), { once: true });
      socket.addEventListener('error', () => reject(new Error(`no inspector answers at ${address}`)), { once: true });
    });
    return new Inspector(socket);
  }

  async send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return waiting.promise;
  }

  close(): void {
    this.#socket.close();
  }

  #take({ id, result, error }: Answer): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || !waiting) return;
    this.#waiting.delete(id);
    if (error) waiting.reject(new Error(`the inspector answered: ${error.message}`));
    else waiting.resolve(result ?? {});
  }
}

/** Takes a CPU profile of a server while something runs. */
export async function recordProfile<Result>(
  address: string,
  run: () => Promise<Result>,
): Promise<{ readonly profile: Profile; readonly result: Result }> {
  const inspector = await Inspector.connect(address);
  try {
    await inspector.send('Profiler.enable');
    await inspector.send('Profiler.setSamplingInterval', { interval: INTERVAL });
    await inspector.send('Profiler.start');
    const result = await run();
    const { profile } = (await inspector.send('Profiler.stop')) as { profile: Profile };
    return { profile, result };
  } finally {
    inspector.close();
  }
}
