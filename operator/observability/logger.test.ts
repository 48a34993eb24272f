import { describe, expect, test } from 'vitest';
import { KubeError } from '../runtime/kubeError.ts';
import { createLogger, type LogLevel } from './logger.ts';

function setUp(level: LogLevel = 'info') {
  const texts: string[] = [];
  const log = createLogger(level, { write: (text) => texts.push(text) });
  return { log, texts, last: () => JSON.parse(texts.at(-1) ?? '') as Record<string, unknown> };
}

describe('logger', () => {
  test('writes one JSON object per line, with the level as a word and the time as RFC 3339', () => {
    const { log, last } = setUp();
    log.child({ controller: 'x' }).info({ key: 'a/b' }, 'settled');
    expect(last()).toMatchObject({ level: 'info', controller: 'x', key: 'a/b', msg: 'settled' });
    expect(last()).not.toHaveProperty('pid');
    expect(String(last().time)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('drops what is below its level', () => {
    const { log, texts } = setUp('warn');
    log.info('no');
    expect(texts).toEqual([]);
  });

  test('credentials are not readable, wherever somebody put them', () => {
    const { log, texts } = setUp();
    const uri = 'postgres://owner:hunter2@db/app';
    log.info(
      { uri, database: { uri, password: 'hunter2' }, request: { headers: { authorization: 'hunter2' } } },
      'x',
    );
    log.error({ err: new Error(`cannot reach ${uri}`, { cause: new Error(uri) }) }, 'x');
    expect(texts.join('')).not.toContain('hunter2');
    expect(texts.join('')).toContain('cannot reach postgres://[redacted]@db/app');
  });

  test('of an error only harmless fields are written', () => {
    const { log, texts, last } = setUp();
    const error = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (email)=(hunter2) already exists.',
      internalQuery: 'select hunter2',
    });
    log.error({ err: error }, 'x');
    expect(last().err).toMatchObject({ type: 'Error', message: 'duplicate key', code: '23505' });
    log.error({ err: new KubeError(409, 'Conflict', 'changed') }, 'x');
    expect(last().err).toMatchObject({ type: 'KubeError', status: 409, reason: 'Conflict' });
    log.error({ err: 'hunter' }, 'x');
    expect(last().err).toBe('hunter');
    expect(texts.join('')).not.toContain('hunter2');
  });
});
