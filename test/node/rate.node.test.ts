import { describe, expect, it } from 'vitest';

import { Rate } from '../../src/lib/rate.ts';

const START = 1_800_000_000_000;

describe('a rate', () => {
  it('takes so many a minute, and says in how many seconds the next is taken', () => {
    const rate = new Rate(3);
    for (const at of [0, 10, 59_000]) expect(rate.take(START + at)).toBeUndefined();
    expect(rate.take(START + 59_000)).toBe(1);
    expect(rate.take(START + 59_999)).toBe(1);
    expect(rate.take(START + 60_000)).toBeUndefined();
    for (const at of [0, 1]) expect(rate.take(START + 60_000 + at)).toBeUndefined();
    expect(rate.take(START + 60_001)).toBe(60);
    expect(rate.take(START + 75_500)).toBe(45);
  });

  it('is not prolonged by those that it refuses', () => {
    const rate = new Rate(1);
    expect(rate.take(START)).toBeUndefined();
    for (let at = 0; at < 60_000; at += 1000) expect(rate.take(START + at)).toBe(60 - at / 1000);
    expect(rate.take(START + 60_000)).toBeUndefined();
  });

  it('does not wait for a clock that was set back', () => {
    const rate = new Rate(1);
    expect(rate.take(START)).toBeUndefined();
    expect(rate.take(START - 3_600_000)).toBeUndefined();
    expect(rate.take(START - 3_600_000)).toBe(60);
  });

  it('of 0 takes any number', () => {
    const rate = new Rate(0);
    for (let call = 0; call < 10_000; call++) expect(rate.take(START)).toBeUndefined();
  });
});
