import { CarrelError } from '../lib/errors.ts';
import type { SchemaStep } from '../workspace/schema.ts';
import { Store } from '../workspace/storage.ts';
import { MAX_RECIPES, MAX_VERSIONS, noSuchRecipe } from './model.ts';
import type { Recipe, RecipeSummary } from './model.ts';

/** What is saved: a plan that was checked. */
export type RecipeContent = Omit<RecipeSummary, 'version' | 'savedAt'> & { readonly plan: string };

type RecipeRow = {
  slug: string;
  version: number;
  title: string;
  description: string;
  inputs: string;
  steps: number;
  scopes: string;
  savedAt: number;
};

const COLUMNS = 'slug, version, title, description, inputs, steps, scopes, saved_at AS savedAt';

const SCHEMA: readonly SchemaStep[] = [
  {
    name: 'recipes: create',
    sql: `
      CREATE TABLE recipes (
        slug TEXT PRIMARY KEY,
        latest INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE recipe_versions (
        slug TEXT NOT NULL,
        version INTEGER NOT NULL,
        title TEXT NOT NULL,
        description TEXT NOT NULL,
        inputs TEXT NOT NULL,
        steps INTEGER NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT NOT NULL,
        saved_at INTEGER NOT NULL,
        PRIMARY KEY (slug, version)
      ) STRICT;`,
  },
];

/** The stored recipes of a workspace. */
export class RecipeStore extends Store {
  static readonly schema = SCHEMA;

  /**
   * Saves a recipe as its next version.
   *
   * @param expected the version that is the latest now, 0 for a recipe that is new; undefined for whatever there is
   * @throws CarrelError `conflict`, `limit_exceeded`
   */
  save(content: RecipeContent, expected: number | undefined, now: number): RecipeSummary {
    const { slug, title, description, inputs, steps, scopes, plan } = content;
    return this.db.transaction(() => {
      const latest = this.#latest(slug) ?? 0;
      if (expected !== undefined && expected !== latest)
        throw new CarrelError(
          'conflict',
          latest === 0
            ? 'There is no such recipe any more.'
            : `The recipe has version ${latest} by now. Look at it first.`,
          { details: { version: latest } },
        );
      if (
        latest === 0 &&
        (this.db.first<{ count: number }>('SELECT count(*) AS count FROM recipes')?.count ?? 0) >= MAX_RECIPES
      )
        throw new CarrelError('limit_exceeded', `There are ${MAX_RECIPES} recipes already. Delete one first.`, {
          details: { limit: MAX_RECIPES },
        });
      const version = latest + 1;
      this.db.run(
        'INSERT INTO recipes (slug, latest) VALUES (?, ?) ON CONFLICT (slug) DO UPDATE SET latest = excluded.latest',
        slug,
        version,
      );
      this.db.run(
        `INSERT INTO recipe_versions (slug, version, title, description, inputs, steps, scopes, plan, saved_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        slug,
        version,
        title,
        description,
        inputs,
        steps,
        JSON.stringify(scopes),
        plan,
        now,
      );
      this.db.run('DELETE FROM recipe_versions WHERE slug = ? AND version <= ?', slug, version - MAX_VERSIONS);
      return { slug, version, title, description, inputs, steps, scopes, savedAt: now };
    });
  }

  /** @param version undefined for the latest @throws CarrelError `not_found` */
  get(slug: string, version: number | undefined): Recipe {
    const row = this.db.first<RecipeRow & { plan: string }>(
      `SELECT ${COLUMNS}, plan FROM recipe_versions WHERE slug = ? AND version = ?`,
      slug,
      version ?? this.#latest(slug) ?? 0,
    );
    if (!row) throw noSuchRecipe();
    const versions = this.db
      .all<{ version: number }>('SELECT version FROM recipe_versions WHERE slug = ? ORDER BY version', slug)
      .map((each) => each.version);
    return { ...summary(row), plan: row.plan, versions };
  }

  /** The latest version of each, by slug. */
  list(after: string | undefined): RecipeSummary[] {
    return this.db
      .all<RecipeRow>(
        `SELECT ${COLUMNS} FROM recipe_versions JOIN recipes USING (slug) WHERE version = latest AND slug > ? ORDER BY slug`,
        after ?? '',
      )
      .map(summary);
  }

  /** Deletes a recipe with all of its versions. @returns whether there was one */
  remove(slug: string): boolean {
    return this.db.transaction(() => {
      this.db.run('DELETE FROM recipe_versions WHERE slug = ?', slug);
      return this.db.run('DELETE FROM recipes WHERE slug = ?', slug) > 0;
    });
  }

  #latest(slug: string): number | undefined {
    return this.db.first<{ latest: number }>('SELECT latest FROM recipes WHERE slug = ?', slug)?.latest;
  }
}

function summary({ slug, version, title, description, inputs, steps, scopes, savedAt }: RecipeRow): RecipeSummary {
  return { slug, version, title, description, inputs, steps, scopes: JSON.parse(scopes) as string[], savedAt };
}
