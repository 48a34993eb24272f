// A process of its own that runs one apply and may be killed: node applyChild.ts, the request as JSON on stdin.
import { text } from 'node:stream/consumers';
import { applySchema, type ApplyRequest } from '../controllers/apischema/applySchema.ts';

const request = JSON.parse(await text(process.stdin)) as ApplyRequest;
const result = await applySchema(request, {
  signal: new AbortController().signal,
  progress: () => undefined,
});
process.stdout.write(JSON.stringify(result));
