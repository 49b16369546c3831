import type { ExtractionLimits } from '../model.ts';

/** Charges between two looks at the clock. */
const CHARGES_PER_LOOK = 64;

/** What one document has cost, and whether that was too much. */
export class PdfMeter {
  limits: ExtractionLimits;
  readonly #deadline: number;
  #work = 0;
  #charges = 0;
  #exceeded: 'too_large' | 'too_slow' | undefined;
  #overflowed = false;

  /** @param deadline ms since the epoch */
  constructor(limits: ExtractionLimits, deadline: number) {
    this.limits = limits;
    this.#deadline = deadline;
  }

  /** Work done so far. */
  get work(): number {
    return this.#work;
  }

  /** Set when nothing more can be read of the document. */
  get exceeded(): 'too_large' | 'too_slow' | undefined {
    return this.#exceeded;
  }

  /** Something of the document was left out; the rest can be read. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** @throws Error when the document has cost too much */
  charge(work: number): void {
    if (!this.affords(work)) throw new Error('The document costs too much to read');
  }

  /** Counts as {@link charge} does, and says whether the document may go on. */
  affords(work: number): boolean {
    this.#work += work;
    if (this.#work > this.limits.pdfWork) this.#exceeded ??= 'too_large';
    this.#charges += 1;
    if (this.#charges % CHARGES_PER_LOOK === 0 && Date.now() >= this.#deadline) this.#exceeded ??= 'too_slow';
    return this.#exceeded === undefined;
  }

  /** Reads something with a lower limit for each stream, and without waiting. */
  withStreams<T>(bytes: number, read: () => T): T {
    const { limits } = this;
    this.limits = { ...limits, streamBytes: Math.min(bytes, limits.streamBytes) };
    try {
      return read();
    } finally {
      this.limits = limits;
    }
  }

  /** @throws Error when `amount` is more than `limit` */
  bound(amount: number, limit: number): void {
    if (amount <= limit) return;
    this.overflow();
    throw tooLarge();
  }

  /** Something is left out. */
  overflow(): void {
    this.#overflowed = true;
  }
}

/** Those of the documents that are being read, by the id that pdf.js gives them. */
const meters = new Map<string, PdfMeter>();

/** Lets the meter count for a document. @param id `docId` of its loading task */
export function attachMeter(id: string, meter: PdfMeter): void {
  meters.set(id, meter);
}

export function detachMeter(id: string): void {
  meters.delete(id);
}

/** @returns undefined for the probe, which needs no limits */
export function meterOf(id: string): PdfMeter | undefined {
  return meters.get(id);
}

/**
 * Charges every document that is being read for what does not know its own.
 *
 * @throws Error when none of them may go on. One that has cost too much and is only waited for stops no other.
 */
export function chargeAll(work: number): void {
  const affordable = [...meters.values()].map((meter) => meter.affords(work));
  if (affordable.length > 0 && !affordable.includes(true)) throw new Error('The documents cost too much to read');
}

/**
 * Leaves something out of every document that is being read, for what does not know its own.
 *
 * @throws Error always
 */
export function overflowAll(): never {
  for (const meter of meters.values()) meter.overflow();
  throw tooLarge();
}

const tooLarge = () => new Error('A part of the document is too large');
