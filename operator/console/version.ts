/** What a version of PgBouncer is to us. */
export type PoolerSupport = 'unsupported' | 'outdated' | 'supported';

/** What 1.26.1 mends. */
export const mendedVulnerabilities = 'CVE-2026-107350, CVE-2026-107349 and CVE-2026-107348';

/**
 * `unsupported` below 1.24: prepared statements are off by default there, SCRAM and SIGTERM behave otherwise.
 * `outdated` below 1.26.1, which mends vulnerabilities. A version that cannot be read is taken for the oldest.
 */
export function supportOf(version: string): PoolerSupport {
  if (isBelow(version, [1, 24, 0])) return 'unsupported';
  return isBelow(version, [1, 26, 1]) ? 'outdated' : 'supported';
}

function isBelow(version: string, least: readonly number[]): boolean {
  const [, ...parts] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  if (parts.length === 0) return true;
  for (const [index, wanted] of least.entries()) {
    const part = Number(parts[index] ?? 0);
    if (part !== wanted) return part < wanted;
  }
  return false;
}
