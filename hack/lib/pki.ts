import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './exec.ts';

/** Paths of a certificate and of its private key, both PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** What a certificate says about its holder. */
export interface Subject {
  /** The name of its files. */
  file: string;
  commonName: string;
  organization?: string;
  /** Names and addresses that it serves, in openssl's spelling: `DNS:a`, `IP:1.2.3.4`. */
  names?: readonly string[];
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const lifetime = ['-days', '3650'];

/** Where a certificate of this name and its key are. */
export function keyPairAt(folder: string, file: string): KeyPair {
  return { cert: join(folder, `${file}.crt`), key: join(folder, `${file}.key`) };
}

function paths(folder: string, file: string): KeyPair {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return keyPairAt(folder, file);
}

/** Creates a certificate authority. */
export async function createAuthority(folder: string, name: string): Promise<KeyPair> {
  const pair = paths(folder, name);
  const extensions = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
  ];
  const args = [
    'req',
    '-x509',
    ...newKey,
    ...lifetime,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    pair.key,
    '-out',
    pair.cert,
  ];
  await run('openssl', [...args, ...extensions.flatMap((extension) => ['-addext', extension])]);
  return pair;
}

/** Issues a certificate that is good for serving and for authenticating as a client. */
export async function issue(folder: string, authority: KeyPair, subject: Subject): Promise<KeyPair> {
  const pair = paths(folder, subject.file);
  const request = join(folder, `${subject.file}.csr`);
  const extensions = join(folder, `${subject.file}.ext`);
  const organization = subject.organization === undefined ? '' : `/O=${subject.organization}`;
  writeFileSync(
    extensions,
    [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature,keyEncipherment',
      'extendedKeyUsage=serverAuth,clientAuth',
      ...(subject.names === undefined ? [] : [`subjectAltName=${subject.names.join(',')}`]),
    ].join('\n'),
  );
  const name = ['-subj', `${organization}/CN=${subject.commonName}`];
  await run('openssl', ['req', '-new', ...newKey, ...name, '-keyout', pair.key, '-out', request]);
  const signing = [
    '-CA',
    authority.cert,
    '-CAkey',
    authority.key,
    '-set_serial',
    `0x${randomBytes(12).toString('hex')}`,
  ];
  await run('openssl', [
    'x509',
    '-req',
    '-in',
    request,
    ...signing,
    ...lifetime,
    '-extfile',
    extensions,
    '-out',
    pair.cert,
  ]);
  for (const path of [request, extensions]) rmSync(path);
  return pair;
}

/** Creates the key pair that signs service account tokens; `cert` is its public half, not a certificate. */
export function createSigningKey(folder: string, name: string): KeyPair {
  const pair = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(pair.key, privateKey, { mode: 0o600 });
  writeFileSync(pair.cert, publicKey);
  return pair;
}
