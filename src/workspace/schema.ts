import { CarrelError } from '../lib/errors.ts';
import type { Database } from './sql.ts';

/**
 * One step of a feature's schema. Steps are append-only and numbered by their place, from 1.
 *
 * A change takes two releases, so that the release before still runs on the new schema after a
 * rollback: *expand* adds a column or table that old code ignores; *contract* drops, in a later
 * release, what only old code used, and says with `minReader` which releases can read what is left.
 */
export interface SchemaStep {
  /** What the step does, for whoever reads the ledger: `sessions: create`. */
  readonly name: string;
  readonly sql: string;
  /** How many steps a release must know to read what is there after this one. Left out, as before it. */
  readonly minReader?: number;
}

export type Schema = Readonly<Record<string, readonly SchemaStep[]>>;

/**
 * Brings the database to the newest schema that this release knows, each step with its ledger row
 * in one transaction. A schema from a newer release is left as it is and used, unless one of its
 * steps says that it is too new for this release.
 *
 * @throws CarrelError `unavailable` when the schema is too new
 */
export function migrate(db: Database, schema: Schema, now: number): void {
  db.run(`CREATE TABLE IF NOT EXISTS schema_ledger (
    feature TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    min_reader INTEGER NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (feature, version)
  ) STRICT, WITHOUT ROWID`);

  const ledgers = db.all<{ feature: string; version: number; min_reader: number }>(
    'SELECT feature, max(version) AS version, max(min_reader) AS min_reader FROM schema_ledger GROUP BY feature',
  );
  for (const [feature, steps] of Object.entries(schema)) {
    const ledger = ledgers.find((each) => each.feature === feature);
    if ((ledger?.min_reader ?? 0) > steps.length)
      throw new CarrelError(
        'unavailable',
        'This workspace was upgraded by a newer release. Deploy that release again.',
        {
          details: { feature, schemaVersion: ledger?.version ?? 0, knownVersion: steps.length },
        },
      );

    let minReader = 1;
    for (const [index, step] of steps.entries()) {
      const version = index + 1;
      minReader = step.minReader ?? minReader;
      if (version <= (ledger?.version ?? 0)) continue;
      db.transaction(() => {
        runStep(db, step);
        db.run(
          'INSERT INTO schema_ledger (feature, version, name, min_reader, applied_at) VALUES (?, ?, ?, ?, ?)',
          feature,
          version,
          step.name,
          minReader,
          now,
        );
      });
    }
  }
}

/** @throws Error that names the step: SQLite's own words do not say where they belong */
function runStep(db: Database, { name, sql }: SchemaStep): void {
  try {
    db.run(sql);
  } catch (error) {
    throw new Error(`schema step "${name}": ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** The version of each feature's schema in the database, for `/readyz`. */
export function schemaVersions(db: Database): Record<string, number> {
  const rows = db.all<{ feature: string; version: number }>(
    'SELECT feature, max(version) AS version FROM schema_ledger GROUP BY feature ORDER BY feature',
  );
  return Object.fromEntries(rows.map(({ feature, version }) => [feature, version]));
}
