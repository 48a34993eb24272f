import { isDeepStrictEqual } from 'node:util';
import type { Contender } from './contenders.ts';
import type { Call, Endpoint } from './endpoints.ts';

/** Throws unless every process of every contender answers the endpoint with the same status and the same JSON. */
export async function requireSameAnswers(
  contenders: readonly Contender[],
  endpoint: Endpoint,
): Promise<void> {
  const answers = await Promise.all(
    contenders.flatMap(({ name, speaks, ports }) =>
      ports.map(async (port) => ({ name, answer: await ask(port, endpoint[speaks](1)) })),
    ),
  );
  const [first] = answers;
  for (const { name, answer } of answers)
    if (!isDeepStrictEqual(answer, first?.answer))
      throw new Error(
        `${name} does not answer the ${endpoint.name} as ${String(first?.name)} does: ${JSON.stringify(answer).slice(0, 300)} instead of ${JSON.stringify(first?.answer).slice(0, 300)}`,
      );
}

async function ask(port: number, { method, path, body }: Call): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`, {
    method,
    ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}
