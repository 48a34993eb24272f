// The SQL thread: everything that parses SQL runs here, beside the operator's event loop. See analyst.ts.
import { parentPort } from 'node:worker_threads';
import { isParserBroken, loadSqlParser } from '../migration/parser.ts';
import type { Answer, Question } from './messages.ts';
import { operations, type Operations } from './operations.ts';
import { createUnpacker, pack, type Parcel } from './parcels.ts';

if (parentPort === null) throw new Error('thread.ts is the entry of a worker thread');
const port = parentPort;
await loadSqlParser();

const question = createUnpacker();
let result: Iterator<Parcel, void> | undefined;

const answer = (message: Answer): void => {
  port.postMessage(message);
};

function answerNext(): void {
  const next = result?.next();
  if (next === undefined || next.done === true) answer({ kind: 'done', isSpent: isParserBroken() });
  else answer({ kind: 'parcel', parcel: next.value });
}

function run(): void {
  const [name, args] = question.take() as [keyof Operations, readonly unknown[]];
  try {
    // The analyst's types say that the arguments are those of this operation.
    const operation = operations[name] as (...values: readonly unknown[]) => unknown;
    result = pack(operation(...args));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    answer({ kind: 'failed', message, isSpent: isParserBroken() });
    return;
  }
  answerNext();
}

port.on('message', (message: Question) => {
  switch (message.kind) {
    case 'parcel':
      question.add(message.parcel);
      break;
    case 'run':
      run();
      break;
    case 'more':
      answerNext();
      break;
  }
});
