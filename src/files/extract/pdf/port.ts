interface PortEvent {
  readonly data: unknown;
}

type Listener = (event: PortEvent) => void;

/**
 * One end of a channel between the two halves of pdf.js in one isolate. Nothing is transferred: the bytes
 * of a file that are sent stay where they are and stay the caller's.
 */
export class DirectPort {
  #other: DirectPort | undefined;
  readonly #copies: boolean;
  readonly #listeners = new Set<Listener>();

  private constructor(copies: boolean) {
    this.#copies = copies;
  }

  /**
   * @param copies whether what the second end sends is copied, as it must be where pdf.js goes on to change
   *   it. What the first sends never is.
   */
  static pair(copies: boolean): readonly [DirectPort, DirectPort] {
    const ends = [new DirectPort(false), new DirectPort(copies)] as const;
    ends[0].#other = ends[1];
    ends[1].#other = ends[0];
    return ends;
  }

  postMessage(message: unknown): void {
    const data: unknown = this.#copies ? structuredClone(message) : message;
    // Never before the sender is done, as with a real port.
    queueMicrotask(() => this.#other?.receive({ data }));
  }

  receive(event: PortEvent): void {
    for (const listener of this.#listeners)
      try {
        listener(event);
      } catch {
        // What is still on its way when a reader has gone is too late for it, which is nobody's fault.
      }
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#other = undefined;
  }
}
