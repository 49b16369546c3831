import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { CLOCK } from '../../src/research/fetch/clock.ts';
import { Politeness } from '../../src/research/fetch/politeness.ts';

const signal = new AbortController().signal;

/** A politeness without chance, on a clock that the test moves. */
function polite() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  return new Politeness({ ...CLOCK, random: () => 0 });
}

/** Whether something is done once all that can go on has. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  let done = false;
  void work.finally(() => (done = true)).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  return done;
}

describe('a turn', () => {
  it('is one of four, and of two at a host', async () => {
    const politeness = polite();
    const turns = ['a', 'a', 'b'].map(async (host) => politeness.begin(host, signal));
    const third = politeness.begin('a', signal);
    const last = politeness.begin('c', signal);
    const none = politeness.begin('d', signal);
    for (const turn of [...turns, last]) expect(await isDone(turn)).toBe(true);
    expect(await isDone(third)).toBe(false);
    (await turns[2])?.end();
    // The first that can go on does: the host of the third is still asked twice.
    expect([await isDone(third), await isDone(none)]).toEqual([false, true]);
    (await turns[0])?.leaveHost();
    expect(await isDone(third)).toBe(false);
    (await last).end();
    expect(await isDone(third)).toBe(true);
  });

  it('goes on to another host while all places are taken, even if all do', async () => {
    const politeness = polite();
    const turns = await Promise.all(['a', 'a', 'b', 'b'].map(async (host) => politeness.begin(host, signal)));
    const moves = turns.map(async (turn, index) => {
      await turn.moveTo(index < 2 ? 'b' : 'a', signal);
      return turn;
    });
    for (const move of moves) expect(await isDone(move)).toBe(true);
  });

  it('holds no host that it was still waiting for when it ended', async () => {
    const politeness = polite();
    const [one, other] = [await politeness.begin('a', signal), await politeness.begin('a', signal)];
    const mover = await politeness.begin('b', signal);
    const moving = mover.moveTo('a', signal);
    one.leaveHost();
    mover.end();
    await moving;
    other.leaveHost();
    const [next, after] = [politeness.begin('a', signal), politeness.begin('a', signal)];
    expect([await isDone(next), await isDone(after)]).toEqual([true, true]);
  });

  it('is given up by whoever has gone', async () => {
    const politeness = polite();
    const turns = await Promise.all(['a', 'a'].map(async (host) => politeness.begin(host, signal)));
    const gone = new AbortController();
    const refused = politeness.begin('a', gone.signal).catch((reason: unknown) => reason);
    const next = politeness.begin('a', signal);
    gone.abort('gone');
    expect(await refused).toBe('gone');
    turns[0]?.end();
    expect(await isDone(next)).toBe(true);
  });
});

describe('a pause', () => {
  const starts = async (politeness: Politeness, host: string) => {
    const began = Date.now();
    const at: number[] = [];
    const all = [1, 2, 3].map(async () => {
      await politeness.pace(host, signal);
      at.push(Date.now() - began);
    });
    await vi.runAllTimersAsync();
    await Promise.all(all);
    return at;
  };

  it('is between two requests to one host, and not to another', async () => {
    const politeness = polite();
    expect(await starts(politeness, 'a')).toEqual([0, 250, 500]);
    expect(await starts(politeness, 'b')).toEqual([0, 250, 500]);
  });

  it.each([
    [0, 250],
    [0.1, 250],
    [2, 2000],
    [86_400, 5000],
  ])('is what a host asks for, within bounds: %s s is %i ms', async (seconds, gap) => {
    const politeness = polite();
    politeness.slowDown('a', seconds);
    expect(await starts(politeness, 'a')).toEqual([0, gap, 2 * gap]);
  });
});
