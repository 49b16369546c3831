/** Words of SQLite's grammar that name nothing unless they are quoted, and names of its own databases. */
export const RESERVED: ReadonlySet<string> = new Set(
  `add all alter and as autoincrement between case check collate commit constraint create default deferrable delete
   distinct drop else escape except exists foreign from group having if in index insert intersect into is isnull join
   limit main not nothing notnull null on or order primary raise references returning select set table temp then to
   transaction union unique update using values when where window with without`.split(/\s+/),
);
