// A process of its own that runs one apply and may be killed: node applyChild.ts, the request as JSON on stdin.
import { text } from 'node:stream/consumers';
import type { ApplyRequest } from '../controllers/apischema/applyRequest.ts';
import { applySchema } from '../controllers/apischema/applySchema.ts';
import { tools } from './applyFixture.ts';

const request = JSON.parse(await text(process.stdin)) as ApplyRequest;
const result = await applySchema(request, {
  ...tools,
  signal: new AbortController().signal,
  progress: () => undefined,
});
process.stdout.write(JSON.stringify(result));
