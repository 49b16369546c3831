/**
 * Runs pieces of work one after another per name. Work in an object interleaves at every `await`
 * (the OAuth library awaits cryptography between reading a grant and writing it), so one object
 * alone does not make a sequence atomic.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>();

  async run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const current = before.then(work, work);
    const tail = current.catch(() => undefined);
    this.#tails.set(name, tail);
    try {
      return await current;
    } finally {
      // The last in line removes the entry, so that the map does not grow with every grant ever seen.
      if (this.#tails.get(name) === tail) this.#tails.delete(name);
    }
  }
}
