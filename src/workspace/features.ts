import { CartStore } from '../cart/store.ts';
import { FileStore } from '../files/store.ts';
import { PartsStore } from '../files/parts-store.ts';
import { ShareStore } from '../files/share/store.ts';
import { TextStore } from '../files/text-store.ts';
import { TusStore } from '../files/tus-store.ts';
import { UpkeepStore } from '../files/upkeep-store.ts';
import { UploadStore } from '../files/upload-store.ts';
import { PERSONAL_TOKEN_SCHEMA } from '../oauth/personal-token-store.ts';
import { GRANT_SCHEMA } from '../oauth/store.ts';
import { StateStore } from '../sessions/state-store.ts';
import { SessionStore } from '../sessions/store.ts';
import { migrate } from './schema.ts';
import type { Schema } from './schema.ts';
import { WORKSPACE_SCHEMA } from './standing.ts';
import { Store } from './storage.ts';
import type { StoreClass, StoreContext } from './storage.ts';

/** The stores of a workspace by the name under which an open workspace has them. Nothing else can be reached. */
const STORES = {
  sessions: SessionStore,
  state: StateStore,
  files: FileStore,
  uploads: UploadStore,
  parts: PartsStore,
  tus: TusStore,
  texts: TextStore,
  upkeep: UpkeepStore,
  shares: ShareStore,
  cart: CartStore,
} satisfies Record<string, StoreClass>;

/** Features that many workspaces never use: their code and their tables come with the first call of one of their stores. */
const LATER = {
  // First, because they are small: whoever looks for a store loads those before it.
  approvals: async () => (await import('../approvals/stores.ts')).APPROVAL_STORES,
  research: async () => (await import('../research/stores.ts')).RESEARCH_STORES,
  jobs: async () => (await import('../jobs/stores.ts')).JOB_STORES,
  backups: async () => (await import('../backup/stores.ts')).BACKUP_STORES,
} satisfies Record<string, () => Promise<Record<string, StoreClass>>>;

type Classes = Record<string, StoreClass>;
type Instances<Of extends Classes> = { readonly [Name in keyof Of]: InstanceType<Of[Name]> };
type Later = typeof LATER;
type Loaded = { readonly [Name in keyof Later]: Instances<Awaited<ReturnType<Later[Name]>>> }[keyof Later];
/** What is in any of a union, of all of them at once. */
type All<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer Whole) => void
  ? Whole
  : never;

/** Those that are there from the beginning. */
export type OwnStores = Instances<typeof STORES>;
export type LaterStores = All<Loaded>;
export type Stores = OwnStores & LaterStores;

/** The schema of a workspace, feature by feature, in the order in which they are brought up to date. */
export const SCHEMA: Schema = {
  workspace: WORKSPACE_SCHEMA,
  oauth: GRANT_SCHEMA,
  personal_tokens: PERSONAL_TOKEN_SCHEMA,
  ...schemasOf(STORES),
};

function schemasOf(classes: Classes): Schema {
  return Object.fromEntries(Object.entries(classes).map(([name, { schema = [] }]) => [name, schema]));
}

/** The stores of one workspace. */
export class Features {
  /** Of those that are there from the beginning. */
  readonly stores: OwnStores;
  readonly #context: StoreContext;
  #later: Readonly<Record<string, Store>> = {};

  constructor({ db, schedule, quota }: Omit<StoreContext, 'findSession'>) {
    const context: StoreContext = { db, schedule, quota, findSession: (reference) => sessions.find(reference) };
    const sessions = new SessionStore(context);
    this.#context = context;
    this.stores = instancesOf(STORES, context) as OwnStores;
  }

  /**
   * Loads a store that is not there from the beginning. To be awaited before a caller is checked: between the check and
   * what the caller asks for nothing may come.
   */
  async prepare(name: string): Promise<void> {
    if (Object.hasOwn(this.stores, name) || Object.hasOwn(this.#later, name)) return;
    for (const load of Object.values(LATER)) {
      const classes = await load();
      // Of two calls that waited for it one was first.
      if (!Object.hasOwn(classes, name) || Object.hasOwn(this.#later, name)) continue;
      migrate(this.#context.db, schemasOf(classes), Date.now());
      this.#later = { ...this.#later, ...instancesOf(classes, this.#context) };
      return;
    }
  }

  /** A store that was prepared. */
  later<Name extends keyof LaterStores>(name: Name): LaterStores[Name] {
    return this.#later[name] as LaterStores[Name];
  }

  /** Whether a feature that comes later was used here before; no code of it is loaded to see. */
  wasUsed(name: keyof LaterStores): boolean {
    return this.#context.db.first('SELECT 1 FROM schema_ledger WHERE feature = ?', name) !== undefined;
  }

  /** After everything was removed: the tables of what was loaded are gone. */
  forget(): void {
    this.#later = {};
  }

  /**
   * Calls a method by its name. Only what the store's own class declares: nothing that it inherits.
   *
   * @throws TypeError for a store or a method that is not there, or was not prepared
   */
  call(name: string, method: string, parameters: readonly unknown[]): unknown {
    const all = { ...this.#later, ...this.stores };
    const store: unknown = Object.hasOwn(all, name) ? all[name as keyof typeof all] : undefined;
    const declared: unknown = store instanceof Store ? Object.getPrototypeOf(store) : undefined;
    const callable: unknown =
      typeof declared === 'object' && declared !== null && method !== 'constructor'
        ? Object.getOwnPropertyDescriptor(declared, method)?.value
        : undefined;
    if (typeof callable !== 'function')
      throw new TypeError(`a workspace has no ${name}.${method}: is its store in STORES of src/workspace/features.ts?`);
    return Reflect.apply(callable, store, parameters);
  }
}

function instancesOf(classes: Classes, context: StoreContext): Record<string, Store> {
  return Object.fromEntries(Object.entries(classes).map(([name, Kind]) => [name, new Kind(context)]));
}
