import type * as z from 'zod';

/** The schema of a body, or what it is where it is no JSON. */
export type BodySchema = z.ZodType | 'bytes' | 'text';

/** What a request may bring, as the schemas that it is checked with. */
export interface InputSchemas {
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  /** By media type. */
  readonly body?: Readonly<Record<string, BodySchema>> | undefined;
}

/** One answer of an operation. */
export interface Answer {
  readonly description: string;
  /** By media type; without it, the answer has no body. */
  readonly content?: Readonly<Record<string, BodySchema>>;
  /** What each header says that matters here. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A request with its answer. A test sends every one of them to the running server, with the values of
 * `samples.ts` replaced by real ones.
 */
export interface Example {
  readonly summary: string;
  readonly request: {
    readonly params?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly json?: unknown;
    readonly form?: Readonly<Record<string, string>>;
    /** Bytes to send, as the text of a file of this name. */
    readonly file?: { readonly name: string; readonly text: string };
  };
  readonly answer: {
    readonly status: number;
    /** May leave out fields and entries that add nothing for a reader. */
    readonly json?: unknown;
    readonly text?: string;
  };
}

/** The parts of the documents, in their order. */
export const GROUPS = [
  'Files',
  'Jobs',
  'Approvals',
  'MCP',
  'Connecting',
  'Discovery',
  'Health',
  'These documents',
] as const;

/**
 * What somebody reads of one method of a path. It is loaded only when somebody asks for the documents;
 * what a request must bring is not repeated here, because the schemas that check it say so.
 */
export interface Operation {
  /** For generated clients: never changes. */
  readonly id: string;
  readonly group: (typeof GROUPS)[number];
  readonly summary: string;
  /** Paragraphs, with `backticks` for code. */
  readonly description: string;
  /** For requests that a library reads and checks, where there is no schema of ours to show. */
  readonly input?: InputSchemas;
  /** Bodies, by media type, that are checked with schemas which are loaded when they are needed. */
  readonly body?: Readonly<Record<string, BodySchema>>;
  /** Headers of the request that change the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Besides those that all have: refusals of a token, of wrong input, and failures of the server. */
  readonly answers: Readonly<Record<number, Answer>>;
  readonly examples: Readonly<Record<string, Example>>;
}
