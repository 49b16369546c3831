import { Stop } from '../terminal.ts';

/** A refusal by the Cloudflare API, with its first error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: number | undefined;

  constructor(status: number, code: number | undefined, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const R2_NOT_ENABLED = 10_042;

interface Envelope {
  readonly success?: boolean;
  readonly result?: unknown;
  readonly errors?: readonly { readonly code?: number; readonly message?: string }[];
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The Cloudflare API, version 4, as one signed-in caller. Answers are not trusted to have a shape. */
export class CloudflareApi {
  readonly #base: string;
  readonly #authorization: Readonly<Record<string, string>>;

  constructor(base: string, authorization: Readonly<Record<string, string>>) {
    this.#base = base.replace(/\/$/, '');
    this.#authorization = authorization;
  }

  /**
   * @param path begins with a slash; its parts are already encoded
   * @returns the `result` of the answer
   * @throws ApiError when Cloudflare refuses, Stop when it cannot be reached
   */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    const query = options.query === undefined ? '' : `?${new URLSearchParams(options.query).toString()}`;
    let response: Response;
    try {
      response = await fetch(`${this.#base}${path}${query}`, {
        method,
        headers: {
          ...this.#authorization,
          ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...options.headers,
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: AbortSignal.timeout(30_000),
      });
    } catch (error) {
      const reason =
        error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
      throw new Stop(`Cloudflare's API cannot be reached (${reason}). Check the network and run the command again.`);
    }
    const text = await response.text();
    const envelope = ((): Envelope => {
      try {
        return JSON.parse(text) as Envelope;
      } catch {
        return {};
      }
    })();
    if (response.ok && envelope.success === true) return envelope.result;
    const first = envelope.errors?.[0];
    if (first?.code === R2_NOT_ENABLED)
      throw new Stop(
        'R2 is not enabled for this Cloudflare account. Enable it once in the dashboard, under Storage & databases > R2 ' +
          '(it asks for a means of payment; the free allowance costs nothing), and run the command again.',
      );
    if (response.status === 401 || response.status === 403 || first?.code === 10_000)
      throw new Stop(
        `Cloudflare refused ${method} ${path}: ${first?.message ?? response.statusText}. Sign in again with npx wrangler login, ` +
          'or give the API token these permissions: Workers Scripts Edit, D1 Edit, Workers R2 Storage Edit, Account Settings Read.',
      );
    throw new ApiError(response.status, first?.code, first?.message ?? `${response.status} ${response.statusText}`);
  }

  /** Like {@link request}, but a refusal that says "no such thing" is undefined. */
  async find(path: string, options: RequestOptions = {}): Promise<unknown> {
    try {
      return await this.request('GET', path, options);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }
}

export type Json = Readonly<Record<string, unknown>>;

/** A value as an object; an empty one when it is none. */
export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** A value as a list of objects; an empty one when it is none. */
export function asObjects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

/** A value as a string; undefined when it is none or empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
