import { describe, expect, test } from 'vitest';
import { connectionTarget } from './connectionTarget.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { failureOf, RunFailure } from './runFailure.ts';

describe('a URI means what it means to libpq', () => {
  test.each([
    ['postgres://u:p@h/d', { user: 'u', password: 'p', host: 'h', port: 5432, database: 'd' }],
    ['postgresql://u:p%40%2F%25@h:6543/d?application_name=x', { password: 'p@/%', port: 6543 }],
    ['postgres://u@[::1]/', { host: '::1', database: 'u', password: '' }],
    ['postgres://h/d?user=u&password=p&port=1', { user: 'u', password: 'p', port: 1 }],
    ['postgres:///d?host=/run/postgresql&user=u', { host: '/run/postgresql', database: 'd' }],
    [' postgres://u:p@h/d\n', { host: 'h' }],
  ])('%s', (uri, expected) => {
    expect(connectionTarget(uri).config).toMatchObject(expected);
  });

  test.each([
    ['', [{ rejectUnauthorized: false }, false]],
    ['sslmode=prefer', [{ rejectUnauthorized: false }, false]],
    ['sslmode=allow', [false, { rejectUnauthorized: false }]],
    ['sslmode=disable', [false]],
    ['sslmode=require', [{ rejectUnauthorized: false }]],
    ['sslmode=require&sslrootcert=system', [{}]],
    ['sslmode=verify-full', [{}]],
  ])('%s', (query, tls) => {
    expect(connectionTarget(`postgres://u:p@h/d?${query}`).tls).toEqual(tls);
  });

  test('verify-ca checks the chain and not the name', () => {
    const [choice] = connectionTarget('postgres://u@h/d?sslmode=verify-ca').tls;
    expect(choice).toMatchObject({ checkServerIdentity: expect.any(Function) as unknown });
  });
});

describe('what is no usable URI is refused without being shown', () => {
  test.each([
    'host=h user=u password=s3cret',
    'mysql://u:s3cret@h/d',
    'postgres://u:s3cret/x@h/d',
    'postgres://u:s3cret@h1,h2/d',
    'postgres://:s3cret@h/d',
    'postgres://u:s3cret%zz@h/d',
    'postgres://u:s3cret@h/d?sslmode=maybe',
    'postgres://u:s3cret@h/d?sslrootcert=/ca.pem',
    'postgres://u:s3cret@h/d?sslkey=/key.pem',
  ])('%s', (uri) => {
    const refuse = () => connectionTarget(uri);
    expect(refuse).toThrow(RunFailure);
    expect(refuse).toThrow(/^SecretInvalid: /);
    expect(refuse).not.toThrow(/s3cret/);
  });
});

test('a failure carries its reason through its message', () => {
  expect(failureOf(new RunFailure('LockHeld', 'a: b\nc').message)).toEqual({
    reason: 'LockHeld',
    message: 'a: b\nc',
  });
  expect(failureOf('something broke')).toEqual({ reason: 'DatabaseUnreachable', message: 'something broke' });
});

test('identifiers are quoted whatever they hold', () => {
  expect(quoteIdentifier('a"b;--')).toBe('"a""b;--"');
  expect(() => quoteIdentifier('')).toThrow();
  expect(() => quoteIdentifier('a\0b')).toThrow();
});
