import type { Json } from '../jobs/definition.ts';
import { canonicalJson } from '../lib/json.ts';
import type { Condition } from './model.ts';
import type { Resolver } from './references.ts';

/**
 * Whether a condition holds. What a reference does not find counts as null. Only two numbers, or two texts (by
 * code units), are greater or less than one another.
 */
export function holds(condition: Condition, resolver: Resolver): boolean {
  const both = ([left, right]: readonly [Json, Json]) =>
    [resolver.valueOrNull(left), resolver.valueOrNull(right)] as const;
  if (condition.equals) return isEqual(...both(condition.equals));
  if (condition.gt) return compare(...both(condition.gt)) === 1;
  if (condition.lt) return compare(...both(condition.lt)) === -1;
  if (condition.in) {
    const [wanted, list] = both(condition.in);
    return Array.isArray(list) && list.some((each: Json) => isEqual(wanted, each));
  }
  if (condition.not) return !holds(condition.not, resolver);
  if (condition.and) return condition.and.every((each) => holds(each, resolver));
  if (condition.or) return condition.or.some((each) => holds(each, resolver));
  return resolver.valueOrNull(condition.exists ?? null) !== null;
}

function isEqual(left: Json, right: Json): boolean {
  return left === right || canonicalJson(left) === canonicalJson(right);
}

function compare(left: Json, right: Json): number | undefined {
  const comparable =
    (typeof left === 'number' && typeof right === 'number') || (typeof left === 'string' && typeof right === 'string');
  if (!comparable) return undefined;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
