/**
 * The closed set of things that can go wrong, as every edge reports them. Each edge has one
 * exhaustive mapper: tool result, problem+json, OAuth error, HTML page.
 */
export const ERROR_CODES = [
  'invalid_input',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'too_large',
  'limit_exceeded',
  'unsupported',
  'unavailable',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

function isErrorCode(value: unknown): value is ErrorCode {
  return ERROR_CODES.some((code) => code === value);
}

/** JSON that an error may carry for the reader, such as the version that is there. */
export type ErrorDetails = Record<string, string | number | boolean | null>;

/**
 * An expected failure. `message` is public: it says what to do next and never holds text that came
 * from outside. `cause` is for the log only.
 *
 * Its fields are own, enumerable properties, so that they survive the RPC boundary between the
 * Worker and a Durable Object, where the class itself is lost; {@link asCarrelError} brings it back.
 */
export class CarrelError extends Error {
  override readonly name = 'CarrelError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/**
 * Any thrown value as a CarrelError. What is not one of ours becomes `internal` with a message that
 * reveals nothing; the original stays as `cause`.
 */
export function asCarrelError(thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown;
  if (thrown instanceof Error && thrown.name === 'CarrelError' && 'code' in thrown && isErrorCode(thrown.code)) {
    const details = 'details' in thrown ? (thrown.details as ErrorDetails) : {};
    return new CarrelError(thrown.code, thrown.message, { details, cause: thrown });
  }
  return new CarrelError(
    'internal',
    'Something went wrong on our side. Try again; if it stays, report the request id.',
    {
      cause: thrown,
    },
  );
}
