import { createHmac, randomBytes } from 'node:crypto';

/** A symmetric key as a JWKS has it (RFC 7517). */
export interface SigningKey {
  readonly kid: string;
  readonly kty: 'oct';
  readonly alg: 'HS256';
  readonly k: string;
}

/** A fresh key of 256 bits. */
export function createKey(kid: string): SigningKey {
  return { kid, kty: 'oct', alg: 'HS256', k: randomBytes(32).toString('base64url') };
}

/** A token for an hour that this key has signed. */
export function sign({ kid, alg, k }: SigningKey, claims: Readonly<Record<string, unknown>>): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const text = `${part({ alg, kid, typ: 'JWT' })}.${part({ ...claims, exp })}`;
  const signature = createHmac('sha256', Buffer.from(k, 'base64url')).update(text).digest('base64url');
  return `${text}.${signature}`;
}
