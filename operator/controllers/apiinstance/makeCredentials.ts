import { randomBytes } from 'node:crypto';
import { scramVerifier } from '../../database/scram.ts';
import type { ConsoleUser, PoolerCredentials } from '../../resources/pooler/credentials.ts';

/** Fresh credentials for a pooler that has none. */
export async function makeCredentials(): Promise<PoolerCredentials> {
  const [admin, stats] = await Promise.all([newUser(), newUser()]);
  return { seed: random(), client: random(), admin, stats };
}

async function newUser(): Promise<ConsoleUser> {
  const password = random();
  return { password, verifier: await scramVerifier(password) };
}

/** 192 bits, in letters that mean nothing in a URI or in a configuration file. */
function random(): string {
  return randomBytes(24).toString('hex');
}
