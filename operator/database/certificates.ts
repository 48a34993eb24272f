import { X509Certificate } from 'node:crypto';
import { RunFailure } from './runFailure.ts';

/**
 * The certificates of a PEM, one text each. Throws a RunFailure SecretInvalid where there is none, or one that cannot be
 * read: Node.js takes what it can read and stays silent about the rest, so that a damaged certificate would look like a
 * server that cannot be trusted.
 */
export function readCertificates(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?(-----END CERTIFICATE-----|$)/gs) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return [...blocks];
  throw new RunFailure(
    'SecretInvalid',
    `The value in the Secret of spec.database.tls.caSecretRef cannot be used: ${blocks.length === 0 ? 'it holds no certificate' : 'a certificate in it is damaged'}. It must be PEM, -----BEGIN CERTIFICATE----- and what follows.`,
  );
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/**
 * What is wrong with the server's certificate, when that is why a connection failed: the end of a sentence. The codes are
 * OpenSSL's and Node.js's (https://nodejs.org/api/tls.html#x509-certificate-error-codes).
 */
export function certificateProblem(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate is for another host name than the one in the URI. Use a name that the certificate has, or the mode verify-ca';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'its certificate, or the one it is signed with, is not valid at this time. Renew it';
  if (untrusted.has(code))
    return 'its certificate is not signed by an authority that is trusted here. Put the certificate of the right one into the Secret of spec.database.tls.caSecretRef';
  return undefined;
}

const untrusted = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REVOKED',
  'INVALID_CA',
]);
