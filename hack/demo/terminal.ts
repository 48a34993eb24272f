import type { WriteStream } from 'node:tty';
import { lineKey, renderLine, renderPanel } from './render.ts';
import type { View } from './view.ts';

/** Where the demo shows what happens while it happens. */
export interface Display {
  /** Shows a moment: redraws the panel, or prints a line where that is due. */
  show(view: View): void;
  /** Prints a line that stays, above the panel. */
  say(line: string): void;
  /** Leaves the last panel where it is; what is printed next comes below it. */
  end(): void;
}

const quietMs = 5000;

/** On a terminal a panel that is redrawn in place; elsewhere a line whenever something happened, and every 5 s. */
export function createDisplay(output: WriteStream | NodeJS.WritableStream, color: boolean): Display {
  return 'isTTY' in output && output.isTTY ? panelDisplay(output, color) : lineDisplay(output);
}

function panelDisplay(output: WriteStream, color: boolean): Display {
  let drawn: readonly string[] = [];
  const erase = (): string => (drawn.length === 0 ? '' : `\x1b[${String(drawn.length)}A\x1b[J`);
  const draw = (before: string): void => {
    output.write(before + drawn.map((line) => `${line}\n`).join(''));
  };
  return {
    show(view) {
      const before = erase();
      drawn = renderPanel(view, { columns: output.columns, color });
      draw(before);
    },
    say(line) {
      draw(`${erase()}${line}\n`);
    },
    end() {
      drawn = [];
    },
  };
}

function lineDisplay(output: NodeJS.WritableStream): Display {
  let key = '';
  let printedAt = 0;
  return {
    show(view) {
      const now = Date.now();
      if (lineKey(view) === key && now - printedAt < quietMs) return;
      key = lineKey(view);
      printedAt = now;
      output.write(`  ${renderLine(view)}\n`);
    },
    say(line) {
      output.write(`${line}\n`);
    },
    end: () => undefined,
  };
}
