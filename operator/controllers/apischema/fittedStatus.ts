import { apiSchemaStatus, type ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';

/** What of a JSON schema limits the size of a value. */
interface Limits {
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: Limits;
  readonly properties?: Readonly<Record<string, Limits>>;
}

const limits = apiSchemaStatus.toJSONSchema({ io: 'input' }) as Limits;

/**
 * The status as the API server takes it: what PostgreSQL, the lint or a test said is cut to the lengths of the CRD, and
 * what the CRD does not have is left out. One field too many or too long, and the server refuses the whole status.
 */
export function fittedStatus(status: ApiSchemaStatus): ApiSchemaStatus {
  return fitted(status, limits) as ApiSchemaStatus;
}

// A condition may be far longer, but nobody reads that, and `kubectl describe` prints it twice.
const longestMessage = 4096;

/** As much of a text as a condition shows. */
export function shownMessage(message: string): string {
  return cut(message, longestMessage);
}

function fitted(value: unknown, limit: Limits): unknown {
  if (typeof value === 'string') return cut(value, limit.maxLength ?? Infinity);
  if (Array.isArray(value)) {
    const { items = {} } = limit;
    return value.slice(0, limit.maxItems).map((each) => fitted(each, items));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([key, each]) => {
    const known = limit.properties?.[key];
    return known === undefined ? [] : [[key, fitted(each, known)]];
  });
  return Object.fromEntries(entries);
}

// Half of a character outside of the BMP would come back from the API server as another one, and be written again.
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3).toWellFormed()}...`;
}
