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
import type { Schema } from './schema.ts';
import { WORKSPACE_SCHEMA } from './standing.ts';
import { Store } from './storage.ts';
import type { StoreClass, StoreContext } from './storage.ts';

/** The stores of a workspace by the name under which an open workspace has them. Nothing else can be reached. */
export const STORES = {
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

export type Stores = { readonly [Name in keyof typeof STORES]: InstanceType<(typeof STORES)[Name]> };

/** The schema of a workspace, feature by feature, in the order in which they are brought up to date. */
export const SCHEMA: Schema = {
  workspace: WORKSPACE_SCHEMA,
  oauth: GRANT_SCHEMA,
  personal_tokens: PERSONAL_TOKEN_SCHEMA,
  ...Object.fromEntries(Object.entries<StoreClass>(STORES).map(([name, { schema = [] }]) => [name, schema])),
};

/** Makes the stores of one workspace. */
export function createStores({ db, schedule, quota }: Omit<StoreContext, 'findSession'>): Stores {
  const context: StoreContext = { db, schedule, quota, findSession: (reference) => sessions.find(reference) };
  const sessions = new SessionStore(context);
  return Object.fromEntries(Object.entries(STORES).map(([name, Kind]) => [name, new Kind(context)])) as Stores;
}

/**
 * Calls a method by its name. Only what the store's own class declares: nothing that it inherits.
 *
 * @throws TypeError for a store or a method that is not there
 */
export function callStore(stores: Stores, name: string, method: string, parameters: readonly unknown[]): unknown {
  const store: unknown = Object.hasOwn(stores, name) ? stores[name as keyof Stores] : undefined;
  const declared: unknown = store instanceof Store ? Object.getPrototypeOf(store) : undefined;
  const callable: unknown =
    typeof declared === 'object' && declared !== null && method !== 'constructor'
      ? Object.getOwnPropertyDescriptor(declared, method)?.value
      : undefined;
  if (typeof callable !== 'function')
    throw new TypeError(`a workspace has no ${name}.${method}: is its store in STORES of src/workspace/features.ts?`);
  return Reflect.apply(callable, store, parameters);
}
