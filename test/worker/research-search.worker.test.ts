import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import { makeSource, PLANTED } from '../../scripts/lib/bench/search-corpus.ts';
import type { Bindings } from '../../src/app.ts';
import { matchOf } from '../../src/research/search/query.ts';
import { SEARCH_SCHEMA } from '../../src/research/search/schema.ts';
import { SearchIndex } from '../../src/research/search/search-rows.ts';
import type { SearchInput, SearchItem } from '../../src/research/search/search-rows.ts';
import { migrate } from '../../src/workspace/schema.ts';
import { Database } from '../../src/workspace/sql.ts';

const { WORKSPACE } = env as unknown as Bindings;

let workspaces = 0;

class Desk {
  readonly db: Database;
  readonly index: SearchIndex;

  constructor(db: Database) {
    this.db = db;
    this.index = new SearchIndex(db);
  }

  put(itemId: string, text: string, more: Partial<SearchItem> = {}): void {
    const item = { kind: 'source', sessionId: 'ses_a', title: '', host: undefined, tags: [], date: undefined } as const;
    this.index.put({ ...item, itemId, parts: [{ part: 1, label: '', start: 0, text }], ...more });
  }

  search(query: string, filters: Partial<SearchInput> = {}) {
    return this.index.search({ match: matchOf(query)!, sessionId: undefined, limit: 10, ...filters });
  }

  find(query: string, filters: Partial<SearchInput> = {}): string[] {
    return this.search(query, filters).hits.map(({ itemId }) => itemId);
  }

  /** Of all tables of the search, those of the index itself too. */
  rows(): number {
    const tables = this.db.all<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'research_search_*' AND name NOT GLOB '*_config'`,
    );
    return tables.reduce(
      (sum, { name }) => sum + (this.db.first<{ rows: number }>(`SELECT count(*) AS rows FROM ${name}`)?.rows ?? 0),
      0,
    );
  }
}

/** Runs in a workspace of its own. */
async function atDesk(work: (desk: Desk) => void): Promise<void> {
  await runInDurableObject(WORKSPACE.getByName(`search-${++workspaces}`), (_object, { storage }) => {
    const db = new Database(storage);
    migrate(db, { research_search: SEARCH_SCHEMA }, 0);
    work(new Desk(db));
  });
}

describe('the search of researches', () => {
  it('says where in the text something was found', async () => {
    await atDesk((desk) => {
      const before = `${'Nothing here. '.repeat(300)}\n\n`;
      const [first, second] = [`${before}The bees dance at noon.`, 'All bees sing in the Straße.'];
      desk.put('src_1', '', {
        title: 'Of bees',
        parts: [
          { part: 1, label: 'p. 1', start: 0, text: first },
          { part: 2, label: 'p. 2', start: first.length + 2, text: second },
        ],
      });
      const whole = `${first}\n\n${second}`;
      const [dance] = desk.search('bees dance').hits;
      expect(dance).toMatchObject({ kind: 'source', itemId: 'src_1', sessionId: 'ses_a', part: 1, label: 'p. 1' });
      expect(dance!.found.map(({ start, end }) => whole.slice(start, end))).toEqual(['bees', 'dance']);
      expect(whole.slice(dance!.snippet.start, dance!.snippet.end)).toBe(dance!.snippet.text);
      const [street] = desk.search('"the strasse"').hits;
      expect(street).toMatchObject({ part: 2, label: 'p. 2' });
      expect(street!.found.map(({ start, end }) => whole.slice(start, end))).toEqual(['the Straße']);
    });
  });

  it('gives the best first, where a title weighs more, and each item once', async () => {
    await atDesk((desk) => {
      desk.put('src_title', 'Of hives and honey, and of much else besides.', { title: 'Bees' });
      desk.put('src_much', 'bees bees bees and honey');
      desk.put('src_once', `bees ${'and much else '.repeat(150)}`);
      desk.put('src_twice', `${'bees and much else '.repeat(150)}\n\n${'bees and more '.repeat(200)}`);
      desk.put('src_none', 'ants');
      const found = desk.find('bees');
      expect(found.filter((id) => id !== 'src_twice')).toEqual(['src_title', 'src_much', 'src_once']);
      expect(found).toHaveLength(4);
      // The title belongs to each passage.
      expect(desk.find('bees honey').toSorted()).toEqual(['src_much', 'src_title']);
    });
  });

  it('goes on where it ended', async () => {
    await atDesk((desk) => {
      for (let number = 0; number < 25; number++) desk.put(`src_${number}`, 'the same bees');
      const found: string[] = [];
      let cursor: number | undefined = 0;
      while (cursor !== undefined) {
        const { hits, next } = desk.search('bees', { cursor });
        found.push(...hits.map(({ itemId }) => itemId));
        cursor = next;
      }
      // The newest first, because they are equal.
      expect(found).toEqual(Array.from({ length: 25 }, (_, index) => `src_${24 - index}`));
    });
  });

  it('is in one session, or of one kind, host, tag or time', async () => {
    await atDesk((desk) => {
      desk.put('src_1', 'bees', { host: 'a.example', tags: ['one', 'the "other"'], date: '2024-03-01T10:00:00' });
      desk.put('src_2', 'bees', { host: 'b.example', tags: ['other'], date: '2024-03-02' });
      desk.put('note_1', 'bees', { kind: 'note', date: '2024-04-01' });
      desk.put('src_3', 'bees', { sessionId: 'ses_b', date: '2023' });
      desk.put('rep_1', 'bees', { sessionId: 'ses_b', kind: 'report' });
      const find = (filters: Partial<SearchInput>) => desk.find('bees', filters).toSorted();
      expect(find({})).toHaveLength(5);
      expect(find({ sessionId: 'ses_b' })).toEqual(['rep_1', 'src_3']);
      expect(find({ sessionId: 'ses_a', kinds: ['note'] })).toEqual(['note_1']);
      expect(find({ sessionId: 'ses_nobody' })).toEqual([]);
      expect(find({ kinds: ['source', 'report'] })).toEqual(['rep_1', 'src_1', 'src_2', 'src_3']);
      expect(find({ kinds: [] })).toEqual([]);
      expect(find({ host: 'a.example' })).toEqual(['src_1']);
      expect(find({ tag: 'other' })).toEqual(['src_2']);
      expect(find({ tag: 'the "other"' })).toEqual(['src_1']);
      expect(find({ tag: 'the' })).toEqual([]);
      expect(find({ since: '2024-03-02' })).toEqual(['note_1', 'src_2']);
      expect(find({ until: '2024-03-01' })).toEqual(['src_1', 'src_3']);
      expect(find({ since: '2024-03-01', until: '2024-03-02' })).toEqual(['src_1', 'src_2']);
      desk.index.relabel('source', 'src_1', { host: 'c.example', tags: ['new'], date: undefined });
      expect([find({ host: 'a.example' }), find({ tag: 'new', host: 'c.example' })]).toEqual([[], ['src_1']]);
    });
  });

  it('finds what passes the filters behind however much does not', async () => {
    await atDesk((desk) => {
      desk.put('src_old', 'the bees', { tags: ['kept'] });
      for (let number = 0; number < 1500; number++) desk.put(`src_${number}`, 'the bees');
      expect(desk.find('bees', { tag: 'kept' })).toEqual(['src_old']);
    });
  });

  it('has an item as it was put last, and nothing of one that was removed', async () => {
    await atDesk((desk) => {
      desk.put('src_1', 'bees '.repeat(5000), { title: 'Old' });
      desk.put('src_2', 'bees');
      desk.put('src_1', 'ants', { title: 'New' });
      expect([desk.find('bees'), desk.find('old'), desk.find('ants new')]).toEqual([['src_2'], [], ['src_1']]);
      desk.index.remove('note', 'src_1');
      desk.index.remove('source', 'src_1');
      desk.index.remove('source', 'src_1');
      expect(desk.find('ants OR new')).toEqual([]);
      desk.put('src_3', 'wasps');
      expect([desk.find('ants'), desk.find('wasps'), desk.find('bees')]).toEqual([[], ['src_3'], ['src_2']]);
      desk.index.remove('source', 'src_2');
      desk.index.remove('source', 'src_3');
      expect(
        desk.db.all('SELECT id FROM research_search_passages UNION ALL SELECT id FROM research_search_items'),
      ).toEqual([]);
    });
  });

  it('keeps nothing of an item that could not be put whole', async () => {
    await atDesk((desk) => {
      desk.put('src_1', 'bees');
      const broken = [
        { part: 1, label: '', start: 0, text: 'ants' },
        { part: 2, label: null, start: 6, text: 'wasps' },
      ];
      expect(() => desk.put('src_1', '', { parts: broken as never })).toThrow(/NOT NULL/);
      expect([desk.find('bees'), desk.find('ants')]).toEqual([['src_1'], []]);
    });
  });

  it('finds by word and by phrase in each language, two characters of Chinese too', async () => {
    await atDesk((desk) => {
      for (let number = 380; number < 420; number++) {
        const { text, ...source } = makeSource(number);
        desk.put(`src_${number}`, text, { ...source, sessionId: `ses_${number % 3}` });
      }
      for (const { source, word, phrase } of PLANTED) {
        for (const query of [word, `"${phrase}"`, `"${word}" AND ${word.slice(0, 4)}*`])
          expect([query, desk.find(query)]).toEqual([query, [`src_${source}`]]);
        expect(desk.find(word, { sessionId: `ses_${source % 3}` })).toEqual([`src_${source}`]);
        expect(desk.find(word, { sessionId: `ses_${(source + 1) % 3}` })).toEqual([]);
      }
    });
  });

  it('writes few rows for a source', async () => {
    await atDesk((desk) => {
      const { text, ...source } = makeSource(0);
      const before = desk.rows();
      desk.put('src_0', text, source);
      const rows = desk.rows() - before;
      console.log(`a source of ${text.length} characters: ${rows} rows`);
      // Two for each passage, of which it has nine; the item, its session, and some pages of the index.
      expect(rows).toBeLessThan(26);
    });
  });
});
