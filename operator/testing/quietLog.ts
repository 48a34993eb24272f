import { pino, type Logger } from 'pino';

/** A log that says nothing. */
export const quietLog: Logger = pino({ level: 'silent' });

/** A log whose lines can be read, as parsed objects. */
export function capturingLog(): { readonly log: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'debug', base: null, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { log, lines };
}
