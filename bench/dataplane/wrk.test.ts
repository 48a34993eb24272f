import { describe, expect, test } from 'vitest';
import { readWrk, wrkScript } from './wrk.ts';

describe('the script for wrk', () => {
  test('holds each request as it goes out, and every port', () => {
    const script = wrkScript(
      [
        { method: 'GET', path: '/items?id=eq.1' },
        { method: 'POST', path: '/events', body: '{"item":1}' },
      ],
      [4001, 4002],
    );
    expect(script).toContain(
      String.raw`"GET /items?id=eq.1 HTTP/1.1\r\nHost: bench.example.test\r\nAccept: application/json\r\n\r\n"`,
    );
    expect(script).toContain(
      String.raw`Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"item\":1}"`,
    );
    expect(script).toContain('local ports = { 4001, 4002 }');
  });
});

describe('what wrk printed', () => {
  test('is read in requests per second and milliseconds', () => {
    const output =
      'Running 2s test\n  2 threads and 32 connections\n\nfigures 3000 2 2000000 1500 20250 99000\n';
    expect(readWrk(output)).toEqual({
      requests: 3000,
      errors: 2,
      perSecond: 1500,
      p50: 1.5,
      p95: 20.25,
      p99: 99,
    });
  });

  test('is shown when there are no figures in it', () => {
    expect(() => readWrk('unable to connect')).toThrow('unable to connect');
  });
});
