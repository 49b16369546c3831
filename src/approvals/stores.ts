import { ApprovalStore } from './approval-store.ts';
import { DecisionStore } from './decision-store.ts';
import { RuleStore } from './rule-store.ts';

/** The stores of approvals, which are loaded with the first call of one, or where there are rules. */
export const APPROVAL_STORES = { approvals: ApprovalStore, decisions: DecisionStore, approvalRules: RuleStore };
