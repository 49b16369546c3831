import { Stopped } from './model.ts';

/** How long the event loop is kept at most, in ms, where a clock can tell. */
const TURN_MS = 50;
/** Steps of one turn at most. The clock of a Worker stands still until the event loop turns. */
const TURN_STEPS = 16;

/** Keeps an extraction within its time, and lets others of the isolate run in between. */
export class Pace {
  readonly deadline: number;
  #turnBegan: number;
  #steps = 0;

  /** @param milliseconds wall time from now on */
  constructor(milliseconds: number) {
    this.#turnBegan = Date.now();
    this.deadline = this.#turnBegan + milliseconds;
  }

  /** Called between pages, entries and pieces of text. @throws Stopped `too_slow` */
  async step(): Promise<void> {
    this.#steps += 1;
    if (this.#steps >= TURN_STEPS || Date.now() - this.#turnBegan >= TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#steps = 0;
      this.#turnBegan = Date.now();
    }
    if (Date.now() >= this.deadline) throw new Stopped('too_slow');
  }

  /**
   * Waits for something that may never come.
   *
   * @throws Stopped `too_slow`, and whatever `promise` rejects with
   */
  async within<T>(promise: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Stopped('too_slow')), Math.max(0, this.deadline - Date.now()));
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
