/** Time and chance, so that a test can bring its own. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Rejects with the reason of the signal when that aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
}

export const CLOCK: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: async (milliseconds, signal) => {
    signal.throwIfAborted();
    let end = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, milliseconds);
        const abort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', abort);
        end = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
        };
      });
    } finally {
      end();
    }
  },
};
