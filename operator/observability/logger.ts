import { pino, type DestinationStream, type Logger } from 'pino';

/** Levels of the log, as the configuration names them. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields that can hold a credential; nobody should log them, and if somebody does they are not readable. */
const secretFields = [
  'uri',
  'url',
  'dsn',
  'connectionString',
  'password',
  'token',
  'secret',
  'jwt',
  'authorization',
  'Authorization',
  'cookie',
  'stringData',
];

/** A JSON log on stdout, or on `destination`. Credentials are redacted at the top and two levels below. */
export function createLogger(level: LogLevel, destination: DestinationStream = pino.destination(1)): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[redacted]',
      },
      serializers: { err: serializeError },
    },
    destination,
  );
}

/**
 * Of an error only what is known to be harmless: pino's own serializer copies every field, and those of a PostgreSQL
 * error (`detail`, `where`, `internalQuery`) quote rows and statements. URIs lose their user and password.
 */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return withoutCredentials(String(error));
  const { code, status, reason } = error as { code?: unknown; status?: unknown; reason?: unknown };
  return {
    type: error.name,
    message: withoutCredentials(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    stack: withoutCredentials(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: causeMessage(error.cause) }),
  };
}

function causeMessage(cause: unknown): string {
  return withoutCredentials(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
}

function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^\s/@]*@/g, '://[redacted]@');
}
