import { pino, type DestinationStream, type Logger } from 'pino';

/** Levels of the log, as the configuration names them. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A JSON log on stdout (or on `destination`). */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  return pino({ level }, destination ?? pino.destination(1));
}
