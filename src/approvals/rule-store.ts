import { ApprovalBase } from './base.ts';
import type { ApprovalRules } from './model.ts';

/** The rules of a workspace. The workspace lets nobody but the person, on a page, call this store. */
export class RuleStore extends ApprovalBase {
  read(): ApprovalRules {
    return this.rules();
  }

  /** The workspace reads anew afterwards whether anything is asked for. */
  write(rules: ApprovalRules): void {
    const asks = rules.always || rules.destructive || rules.tools.length > 0 || rules.bytes !== undefined;
    this.db.transaction(() => {
      this.db.run('INSERT OR REPLACE INTO approval_rules (only_row, rules) VALUES (1, ?)', JSON.stringify(rules));
      this.db.run('UPDATE standing SET asks = ?', asks ? 1 : 0);
    });
  }
}
