/** Result codes of SQLite (https://www.sqlite.org/rescode.html) that are told apart here. */
export const OK = 0;
export const NOMEM = 7;
export const READONLY = 8;
export const IOERR = 10;
export const NOTFOUND = 12;
export const FULL = 13;
export const CANTOPEN = 14;
export const TOOBIG = 18;
export const AUTH = 23;
export const ROW = 100;
export const DONE = 101;
export const IOERR_SHORT_READ = 522;

/** What the authorizer may answer; 2, to ignore, is not used. */
export const DENY = 1;

/** Flags of xOpen. */
export const OPEN_READWRITE = 0x02;
export const OPEN_CREATE = 0x04;
export const OPEN_URI = 0x40;

/** How functions are defined: with text in UTF-8, giving the same for the same. */
export const UTF8_DETERMINISTIC = 0x801;

/** Storage classes. */
export const INTEGER = 1;
export const FLOAT = 2;
export const TEXT = 3;
export const BLOB = 4;

/** Run-time limits (https://www.sqlite.org/c3ref/c_limit_attached.html). */
export const LIMIT = {
  length: 0,
  sqlLength: 1,
  column: 2,
  exprDepth: 3,
  compoundSelect: 4,
  vdbeOps: 5,
  functionArguments: 6,
  attached: 7,
  likePattern: 8,
  variables: 9,
  triggerDepth: 10,
  workers: 11,
} as const;

/** `sqlite3_config` and `sqlite3_db_config` options. */
export const CONFIG_MEMSTATUS = 9;
export const CONFIG_PMASZ = 25;
export const DBCONFIG_ENABLE_LOAD_EXTENSION = 1005;
export const DBCONFIG_DEFENSIVE = 1010;
export const DBCONFIG_TRUSTED_SCHEMA = 1017;
