/** The longest name in PostgreSQL, in bytes; it would cut a longer one silently. */
const maxBytes = 63;

const keywords = new Set(['public', 'none', 'current_role', 'current_user', 'session_user']);

/** Why PostgreSQL has no room for a role of this name, as the end of a sentence; undefined when it has. */
export function roleNameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (/\p{Cc}/u.test(name)) return 'it holds control characters';
  if (Buffer.byteLength(name) > maxBytes)
    return `it is ${String(Buffer.byteLength(name))} bytes long, and PostgreSQL cuts names at ${String(maxBytes)}`;
  if (name.startsWith('pg_') || keywords.has(name)) return 'PostgreSQL reserves it';
  return undefined;
}
