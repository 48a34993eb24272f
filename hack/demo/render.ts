import { stripVTControlCharacters } from 'node:util';
import type { View } from './view.ts';

/** How to draw: columns of the terminal, and whether to use ANSI colours. */
export interface Canvas {
  readonly columns: number;
  readonly color: boolean;
}

const labelWidth = 10;
const revisionWidth = 6;

/** The panel as lines that fit the canvas; drawn again in place, so their number depends on nothing but the revisions. */
export function renderPanel(view: View, canvas: Canvas): string[] {
  const { paint, bar } = palette(canvas);
  const total = view.answering.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const clock = clockTime(view.seconds);
  const title = `▸ ${view.title}`;
  const answers = view.answering.map(({ revision, perSecond }) => {
    const share = total === 0 ? 0 : perSecond / total;
    return `${revisionName(revision)} ${paint(revisionColor(revision), bar(share))} ${percent(share)}  ${String(perSecond)}/s`;
  });
  const failed = `${count(view.failed)} failed`;
  const lines = [
    `${paint('bold', title)}${' '.repeat(Math.max(1, canvas.columns - title.length - clock.length - 1))}${clock}`,
    ...field('asked for', [
      view.weight === undefined
        ? 'nothing: no rollout runs'
        : `${revisionName(view.weight.revision)} ${paint('dim', bar(view.weight.asked / 100))} ${percent(view.weight.asked / 100)}  ${proof(view.weight)}`,
    ]),
    ...field('answers', answers.length === 0 ? ['none in the last second'] : answers),
    ...field('pods', [
      view.pods
        .map(({ revision, ready, total: all }) => `r${revision} ${String(ready)}/${String(all)} ready`)
        .join('   ') || 'none',
    ]),
    ...field('clients', [
      `${count(view.requests)} requests   ${paint(view.failed === 0 ? 'green' : 'red', failed)}   p50 ${milliseconds(view.p50)}   p95 ${milliseconds(view.p95)}`,
    ]),
    ...field('status', [`${view.reason}${view.message === '' ? '' : `: ${view.message}`}`]),
  ];
  return lines.map((line) => fit(line, canvas.columns - 1));
}

/** The same moment as one line, for logs and pipes. */
export function renderLine(view: View): string {
  const total = view.answering.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const shares = view.answering
    .map(({ revision, perSecond }) => `${revisionName(revision).trim()} ${percent(perSecond / total).trim()}`)
    .join(' ');
  const pods = view.pods
    .map(({ revision, ready, total: all }) => `r${revision} ${String(ready)}/${String(all)}`)
    .join(' ');
  return [
    clockTime(view.seconds),
    view.weight === undefined
      ? 'no rollout'
      : `asked r${view.weight.revision} ${String(view.weight.asked)} % (${proof(view.weight)})`,
    `answers ${shares || 'none'}`,
    `pods ${pods || 'none'}`,
    `${count(view.requests)} requests, ${count(view.failed)} failed, p95 ${milliseconds(view.p95)}`,
    view.reason,
  ].join(' | ');
}

/** What has to differ for a new line in a log: everything but the clock, the counts and the shares of a moment. */
export function lineKey(view: View): string {
  return JSON.stringify([view.title, view.weight, view.pods, view.failed, view.reason]);
}

/** 1234567 -> `1,234,567`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function proof(weight: NonNullable<View['weight']>): string {
  if (weight.proved === undefined) return 'not proved yet';
  return weight.proved === weight.asked ? 'proved' : `proved so far: ${String(weight.proved)} %`;
}

function field(label: string, values: readonly string[]): string[] {
  return values.map((value, index) => `  ${(index === 0 ? label : '').padEnd(labelWidth)} ${value}`);
}

function revisionName(revision: string): string {
  return (revision === 'none' ? 'none' : `r${revision}`).padEnd(revisionWidth);
}

function percent(share: number): string {
  return `${String(Math.round(share * 100)).padStart(3)} %`;
}

function milliseconds(value: number): string {
  return `${String(Math.round(value))} ms`;
}

function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
const revisionColors = ['magenta', 'blue', 'cyan', 'yellow'] as const;

/** A revision keeps its colour for the whole demo; what no revision answered is red. */
function revisionColor(revision: string): keyof typeof codes {
  return revision === 'none' ? 'red' : (revisionColors[Number(revision) % revisionColors.length] ?? 'blue');
}

function palette(canvas: Canvas): {
  paint: (code: keyof typeof codes, text: string) => string;
  bar: (share: number) => string;
} {
  const barWidth = Math.max(10, Math.min(40, canvas.columns - labelWidth - revisionWidth - 34));
  return {
    paint: (code, text) => (canvas.color ? `\x1b[${String(codes[code])}m${text}\x1b[0m` : text),
    bar: (share) => {
      const filled = Math.round(share * barWidth);
      return '█'.repeat(filled) + '░'.repeat(barWidth - filled);
    },
  };
}

/** Cuts a line to the width that a terminal shows; a cut line loses its colours, which could otherwise stay open. */
function fit(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
}
