import { expect, test } from 'vitest';
import { saslprep } from './saslprep.ts';
import { isVerifierOf, scramVerifier } from './scram.ts';

test.each([
  // RFC 4013, section 3
  ['soft hyphen mapped to nothing', 'I\u00adX', 'IX'],
  ['no transformation', 'user', 'user'],
  ['case preserved', 'USER', 'USER'],
  ['NFKC', '\u00aa', 'a'],
  ['NFKC of a roman numeral', '\u2168', 'IX'],
  // where RFC 4013 refuses, PostgreSQL takes the password as it is
  ['prohibited: a control character', '\u0007\u00aa', '\u0007\u00aa'],
  ['bidirectional: right to left, then a digit', '\u06271', '\u06271'],
  ['bidirectional: right to left around a digit', '\u06271\u0628', '\u06271\u0628'],
  ['bidirectional: both directions', '\u0627a\u00aa\u0628', '\u0627a\u00aa\u0628'],
  ['unassigned in Unicode 3.2', '😀\u2168', '😀\u2168'],
  ['nothing is left', '\u00ad', '\u00ad'],
  ['a no-break space', 'a\u00a0b', 'a b'],
  ['fullwidth', 'ｐａｓｓ', 'pass'],
])('saslprep: %s', (_, password, prepared) => {
  expect(saslprep(password)).toBe(prepared);
});

// RFC 7677, section 3: the exchange's salt and count. StoredKey and ServerKey follow from its ClientProof and
// ServerSignature.
test('a verifier of the example in RFC 7677', async () => {
  const verifier =
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=';
  expect(await isVerifierOf(verifier, 'pencil')).toBe(true);
  expect(await isVerifierOf(verifier, 'pencil ')).toBe(false);
});

test('a fresh verifier is of its password, of no other, and never the same twice', async () => {
  const [one, two] = await Promise.all([scramVerifier('s3cret'), scramVerifier('s3cret')]);
  expect(one).not.toBe(two);
  expect(await isVerifierOf(one, 's3cret')).toBe(true);
  expect(await isVerifierOf(one, 'S3cret')).toBe(false);
  expect(await isVerifierOf('md5d41d8cd98f00b204e9800998ecf8427e', 's3cret')).toBe(false);
});
