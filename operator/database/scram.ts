import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from './saslprep.ts';

const derive = promisify(pbkdf2);

// PostgreSQL's own default (scram_iterations).
const iterations = 4096;

/**
 * A fresh SCRAM-SHA-256 verifier of the password, in the format that PostgreSQL takes instead of one (RFC 5803):
 * `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. From it one can neither log in nor read the password,
 * only guess: it is worth as much protection as the password is weak.
 */
export async function scramVerifier(password: string): Promise<string> {
  return await verifierOf(password, randomBytes(16), iterations);
}

/** Whether the verifier is of this password; false for what is no verifier. */
export async function isVerifierOf(verifier: string, password: string): Promise<boolean> {
  const [, count = '', salt = ''] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier) ?? [];
  if (count === '') return false;
  const expected = Buffer.from(await verifierOf(password, Buffer.from(salt, 'base64'), Number(count)));
  const actual = Buffer.from(verifier);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

async function verifierOf(password: string, salt: Buffer, count: number): Promise<string> {
  const salted = await derive(saslprep(password), salt, count, 32, 'sha256');
  const mac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(mac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${String(count)}:${salt.toString('base64')}$${storedKey}:${mac('Server Key').toString('base64')}`;
}
