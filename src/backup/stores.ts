import { BackupStore } from './store.ts';

/** The store of archives of workspaces, which is loaded with its first call. */
export const BACKUP_STORES = { backups: BackupStore };
