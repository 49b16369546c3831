// The package has no types of its own; this is what is used of it.
declare module 'autocannon' {
  export interface LoadRequest {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  }

  export interface Client {
    setRequests(requests: readonly LoadRequest[]): void;
  }

  export interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** ms between two looks at the clock: the run ends at one of them. */
    readonly sampleInt: number;
    readonly setupClient: (client: Client) => void;
    /** Called for each answer; false counts it as a mismatch. */
    readonly verifyBody: (body: string | undefined) => boolean;
  }

  export interface Result {
    /** Seconds. */
    readonly duration: number;
    readonly errors: number;
    readonly timeouts: number;
    readonly mismatches: number;
    readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
    /** ms. */
    readonly latency: { readonly p50: number; readonly p99: number };
  }

  export default function autocannon(options: Options): PromiseLike<Result>;
}
