import { CarrelError } from '../lib/errors.ts';
import type { Database } from './sql.ts';

/**
 * One step of a feature's schema. Steps are append-only and numbered by their place, from 1.
 *
 * A change takes two releases, so that the release before still runs on the new schema after a
 * rollback: *expand* (add a column or table that old code ignores) keeps `minReader` as it was;
 * *contract* (drop what only old code used), in a later release, raises `minReader` to the number
 * of steps that a release must know to read what is left.
 */
export interface SchemaStep {
  /** What the step does, for whoever reads the ledger: `sessions: create`. */
  readonly name: string;
  readonly sql: string;
  readonly minReader: number;
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

  for (const [feature, steps] of Object.entries(schema)) {
    const ledger = db.first<{ version: number | null; min_reader: number | null }>(
      'SELECT max(version) AS version, max(min_reader) AS min_reader FROM schema_ledger WHERE feature = ?',
      feature,
    );
    if ((ledger?.min_reader ?? 0) > steps.length)
      throw new CarrelError(
        'unavailable',
        'This workspace was upgraded by a newer release. Deploy that release again.',
        {
          details: { feature, schemaVersion: ledger?.version ?? 0, knownVersion: steps.length },
        },
      );

    for (const [index, step] of steps.entries()) {
      const version = index + 1;
      if (version <= (ledger?.version ?? 0)) continue;
      db.transaction(() => {
        db.run(step.sql);
        db.run(
          'INSERT INTO schema_ledger (feature, version, name, min_reader, applied_at) VALUES (?, ?, ?, ?, ?)',
          feature,
          version,
          step.name,
          step.minReader,
          now,
        );
      });
    }
  }
}

/** The version of each feature's schema in the database, for `/readyz`. */
export function schemaVersions(db: Database): Record<string, number> {
  const rows = db.all<{ feature: string; version: number }>(
    'SELECT feature, max(version) AS version FROM schema_ledger GROUP BY feature ORDER BY feature',
  );
  return Object.fromEntries(rows.map(({ feature, version }) => [feature, version]));
}
