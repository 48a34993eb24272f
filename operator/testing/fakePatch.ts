/** JSON merge patch (RFC 7386). */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch))
    if (value === null) Reflect.deleteProperty(result, name);
    else result[name] = mergePatch(result[name], value);
  return result;
}

/**
 * A server-side apply for tests: `intent` over `target`, maps by field, lists whole; what `before` (the same manager's
 * last intent) had and `intent` has no more is removed.
 */
export function applyFields(target: unknown, before: unknown, intent: unknown): unknown {
  if (!isRecord(intent)) return intent;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  const owned = isRecord(before) ? before : {};
  for (const name of Object.keys(owned))
    if (intent[name] === undefined) {
      const rest = removeFields(result[name], owned[name]);
      if (rest === undefined) Reflect.deleteProperty(result, name);
      else result[name] = rest;
    }
  for (const [name, value] of Object.entries(intent))
    if (value !== undefined) result[name] = applyFields(result[name], owned[name], value);
  return result;
}

/** `target` without the leaves of `owned`; undefined when nothing is left. */
function removeFields(target: unknown, owned: unknown): unknown {
  if (!isRecord(target) || !isRecord(owned)) return undefined;
  const result: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(owned)) {
    const rest = removeFields(result[name], value);
    if (rest === undefined) Reflect.deleteProperty(result, name);
    else result[name] = rest;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
