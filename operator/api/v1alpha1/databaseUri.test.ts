import { expect, test } from 'vitest';
import { readDatabaseUri } from './databaseUri.ts';

const plain = { host: 'db', port: 5432, database: 'shop', user: 'u', password: 'pw', sslmode: undefined };

test.each([
  ['postgres://u:pw@db/shop', plain],
  ['postgresql://u:pw@db:6543/shop\n', { ...plain, port: 6543 }],
  ['postgres://u:p%40%2Fw@db/my%20shop', { ...plain, password: 'p@/w', database: 'my shop' }],
  ['postgres://u:pw@[fd00::1]:1/shop', { ...plain, host: 'fd00::1', port: 1 }],
  ['postgres://u:pw@db/shop?sslmode=verify-full&application_name=x', { ...plain, sslmode: 'verify-full' }],
  ['postgres://?host=db&user=u&password=pw&dbname=shop&port=7', { ...plain, port: 7 }],
  ['postgres://u@db', { ...plain, password: '', database: 'u' }],
  ['postgres:///shop?host=/run/postgresql&user=u&password=pw', { ...plain, host: '/run/postgresql' }],
])('%s is read as libpq reads it', (text, expected) => {
  expect(readDatabaseUri(text)).toMatchObject(expected);
});

test.each([
  ['', /no URI of the form/],
  ['host=db user=u', /no URI of the form/],
  ['mysql://u:secret@db/shop', /no URI of the form/],
  ['postgres://u:sec#ret@db/shop', /no URI of the form|exactly one host|no database/],
  ['postgres://u:sec%zzret@db/shop', /begins no escape/],
  ['postgres://u:secret@/shop', /no URI of the form/],
  ['postgres://u:secret@a,b/shop', /exactly one host/],
  ['postgres://u:secret@db/shop?port=secret', /port/],
  ['postgres://:secret@db/shop', /no user/],
  ['postgres://u:secret@db/shop?sslmode=secret', /sslmode/],
  ['postgres://u:secret@db/shop%0Alogfile=x', /control characters/],
])('%s cannot be used, and the reason repeats nothing of it', (text, reason) => {
  const parsed = readDatabaseUri(text);
  expect(parsed).toEqual({ error: expect.stringMatching(reason) as string });
  expect(JSON.stringify(parsed)).not.toMatch(/secret|sec#|ret@/);
});
