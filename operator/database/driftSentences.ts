import type { ApiFact } from '../migration/apiDescription.ts';

/** A fact of a published release that is not as it was remembered. */
export interface Difference extends Omit<ApiFact, 'value'> {
  /** Id of the release. */
  readonly release: string;
  /** The remembered value; null: there was none. */
  readonly before: string | null;
  /** The value now; null: there is none. */
  readonly after: string | null;
}

/** Something that somebody other than the operator has changed. */
export interface Drift {
  /** Id of the release; null: it is the ledger, or not of one release. */
  readonly release: string | null;
  /** Kind and name: `view tasks`, `function add(integer, text)`, `ledger`. */
  readonly object: string;
  /** What about it: `definition`, `granted to anon`, `presence`, ... */
  readonly aspect: string;
  /** A sentence that names the object. It quotes neither definitions nor defaults nor comments. */
  readonly difference: string;
}

/** The fact that is there as long as the object is. */
const presence: Readonly<Record<string, string>> = {
  relation: 'kind',
  type: 'kind',
  function: 'kind',
  other: 'kind',
  column: 'type',
  parameter: 'type',
  trigger: 'definition',
  rule: 'definition',
  key: 'definition',
  relationship: 'definition',
};

/** What may be quoted: names, types and privileges. Everything else may hold what a user meant to keep to himself. */
const quotable = new Set(['owner', 'type', 'volatility', 'security', 'kind', 'writes', 'position']);

/**
 * Differences as sentences. What came or went as a whole is one drift: nothing is said of the columns of a view that is
 * gone.
 */
export function driftOf(differences: readonly Difference[]): readonly Drift[] {
  const whole = new Set(differences.filter(isWhole).map(wholeKey));
  return differences
    .filter((each) => (isWhole(each) ? !partOfWhole(each, whole) : !coveredBy(each, whole)))
    .map((each) => ({
      release: each.release,
      object: nameOf(each),
      aspect: isWhole(each) ? 'presence' : each.aspect,
      difference: sentenceOf(each),
    }));
}

function isWhole({ kind, aspect, before, after }: Difference): boolean {
  return presence[kind] === aspect && (before === null || after === null);
}

function coveredBy(each: Difference, whole: ReadonlySet<string>): boolean {
  return whole.has(wholeKey(each)) || partOfWhole(each, whole);
}

// A column, trigger or rule of a relation or type, a parameter of a function.
function partOfWhole({ release, kind, within, object }: Difference, whole: ReadonlySet<string>): boolean {
  if (kind === 'parameter')
    return whole.has(JSON.stringify([release, 'function', object.slice(0, object.lastIndexOf(').') + 1)]));
  if (!['column', 'trigger', 'rule'].includes(kind)) return false;
  return ['relation', 'type'].some((of) => whole.has(JSON.stringify([release, of, within])));
}

function wholeKey({ release, kind, within, object }: Difference): string {
  return JSON.stringify([release, kind, kind === 'relation' || kind === 'type' ? within : object]);
}

function nameOf({ kind, object }: Difference): string {
  if (kind === 'schema') return 'schema';
  if (kind === 'relation') return `view ${object}`;
  return kind === 'other' ? object : `${kind} ${object}`;
}

function sentenceOf(each: Difference): string {
  const { release, aspect, before, after } = each;
  const subject = `${capital(nameOf(each))} of release ${release}`;
  if (isWhole(each) && each.within.startsWith('pgrst_sentinel_') && after === null)
    return `The sentinel of release ${release} is gone: no pod that starts from now on can prove that it holds the release.`;
  if (isWhole(each))
    return after === null ? `${subject} is gone.` : `${subject} was not there when it was published.`;
  if (aspect.startsWith('granted to ')) return grantSentence(subject, aspect.slice(11), before, after);
  if (after === null) return `${subject} has lost its ${aspect}.`;
  if (before === null) return `${subject} has a new ${aspect}.`;
  if (quotable.has(aspect)) return `${subject} has the ${aspect} ${after}; it was ${before}.`;
  return `${subject} differs in its ${aspect} from what was published.`;
}

function grantSentence(
  subject: string,
  grantee: string,
  before: string | null,
  after: string | null,
): string {
  const [had, has] = [privileges(before), privileges(after)];
  const lost = had.filter((privilege) => !has.includes(privilege));
  const gained = has.filter((privilege) => !had.includes(privilege));
  const parts = [
    ...(lost.length > 0 ? [`${lost.join(', ')} was revoked from ${grantee}`] : []),
    ...(gained.length > 0 ? [`${gained.join(', ')} was granted to ${grantee}`] : []),
  ];
  return `${subject}: ${parts.join(', and ')}.`;
}

function privileges(value: string | null): readonly string[] {
  return value === null ? [] : value.split(', ');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
