import { z } from 'zod';
import { celList, celText, nearestName, nearestNameCel } from './nearestName.ts';
import { appSettingPrefix, revisionSetting } from './postgrestMeaning.ts';
import type { ParameterType } from './postgrestParameter.ts';
import { postgrestParameters } from './postgrestParameters.ts';
import { atMost, rule } from './rule.ts';
import { intOrString } from './shared.ts';

type Config = Readonly<Record<string, number | string>>;

const names = postgrestParameters.map(({ name }) => name);
const settingName = /^app-settings-[a-z0-9][a-z0-9-]{0,49}$/;
const page = 'docs/reference/postgrest-parameters.md';
/** What is offered to who mistypes a name. */
const offered = [...names, `${appSettingPrefix}<name>`];

/** Parameters that the operator sets itself, and why: one source of truth for each. */
const owners: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    postgrestParameters.flatMap(({ name, owned }) => (owned === undefined ? [] : [[name, owned] as const])),
  ),
  [revisionSetting]: 'it is the number of the revision',
};
/** PostgREST parameters that the operator sets itself. */
export const ownedParameters: readonly string[] = Object.keys(owners);

/** Parameters of one type, each with what its check needs; first in a message is the one that comes first here. */
function ofKind<K extends ParameterType['kind']>(kind: K): [string, Extract<ParameterType, { kind: K }>][] {
  return postgrestParameters
    .filter(({ owned, type }) => owned === undefined && type.kind === kind)
    .map(({ name, type }) => [name, type as Extract<ParameterType, { kind: K }>]);
}

const booleans = ofKind('boolean').map(([name]) => name);
/** How PostgREST understands a boolean; what else there is it would take for the default, without a word. */
const booleanWords = ['true', 'false', 'True', 'False', 'TRUE', 'FALSE', '1', '0'];
const wholes = Object.fromEntries(ofKind('whole').map(([name, { min, max }]) => [name, [min, max] as const]));
const wholeNumber = /^[0-9]{1,10}$/;
const choices = Object.fromEntries(ofKind('word').map(([name, { words }]) => [name, words]));

interface TypeCheck {
  readonly names: readonly string[];
  /** CEL and TypeScript of whether the text of a value is right; CEL has it as `string(self[n])`, the name as `n`. */
  readonly cel: string;
  readonly js: (name: string, value: string) => boolean;
  /** What is expected: in CEL with the name as `n`, in TypeScript, and for all of them. */
  readonly expected: {
    readonly cel: string;
    readonly js: (name: string) => string;
    readonly message: string;
  };
}

const booleanForm = 'takes true or false, in quotes';
const typeChecks: readonly TypeCheck[] = [
  {
    names: booleans,
    cel: `string(self[n]) in ${celList(booleanWords)}`,
    js: (_, value) => booleanWords.includes(value),
    expected: {
      cel: celText(booleanForm),
      js: () => booleanForm,
      message: `a parameter that is a boolean ${booleanForm}`,
    },
  },
  {
    names: Object.keys(wholes),
    cel: `string(self[n]).matches('${wholeNumber.source}') && int(self[n]) >= ${celMap(wholes, boundsCel)}[n][0] && int(self[n]) <= ${celMap(wholes, boundsCel)}[n][1]`,
    js: (name, value) => {
      const [min, max] = wholes[name] ?? [0, 0];
      return wholeNumber.test(value) && Number(value) >= min && Number(value) <= max;
    },
    expected: {
      cel: `'takes a whole number from ' + ${celMap(wholes, ([min, max]) => celText(`${min} to ${max}`))}[n]`,
      js: (name) => `takes a whole number from ${(wholes[name] ?? []).join(' to ')}`,
      message: 'a parameter that is a number takes a whole number within its bounds',
    },
  },
  {
    names: Object.keys(choices),
    cel: `string(self[n]) in ${celMap(choices, celList)}[n]`,
    js: (name, value) => choices[name]?.includes(value) === true,
    expected: {
      cel: `'is one of ' + ${celMap(choices, (words) => celText(words.join(', ')))}[n]`,
      js: (name) => `is one of ${(choices[name] ?? []).join(', ')}`,
      message: 'a parameter that is a word takes one of its words',
    },
  },
];

function boundsCel(bounds: readonly number[]): string {
  return `[${bounds.join(', ')}]`;
}

function celMap<T>(map: Readonly<Record<string, T>>, value: (entry: T) => string): string {
  return `{${Object.entries(map)
    .map(([name, entry]) => `${celText(name)}: ${value(entry)}`)
    .join(', ')}}`;
}

function isKnown(name: string): boolean {
  return names.includes(name) || settingName.test(name);
}

function unknownWords(name: string): string {
  const nearest = nearestName(name, offered);
  return `PostgREST has no parameter ${name}${nearest === undefined ? '.' : `: did you mean ${nearest}?`} All are in ${page}`;
}

const isOwned = 'is set by the operator itself, remove it from postgrest.config: ';

function ownedWords(name: string): string {
  return `${name} ${isOwned}${owners[name] ?? ''}`;
}

const values = atMost(z.record(z.string(), intOrString(4096)), 64);

const known = rule(values, {
  cel: `self.all(name, name in ${celList(names)} || name.matches('${settingName.source}'))`,
  js: (value) => Object.keys(value).every(isKnown),
  message: `parameters are named as PostgREST's documentation does, and settings for SQL ${appSettingPrefix}<name>: all are in ${page}`,
  words: {
    cel: `self.map(name, !(name in ${celList(names)}) && !name.matches('${settingName.source}'), 'PostgREST has no parameter ' + name + ${nearestNameCel('name', offered, { found: ': did you mean NAME?', otherwise: '.' })} + ' All are in ${page}')[0]`,
    js: (value) => unknownWords(Object.keys(value).find((name) => !isKnown(name)) ?? ''),
  },
});

const free = rule(known, {
  cel: `!self.exists(name, name in ${celList(ownedParameters)})`,
  js: (value) => !ownedParameters.some((name) => name in value),
  message: `the operator sets these PostgREST parameters itself, remove them from postgrest.config: ${ownedParameters.join(', ')}`,
  words: {
    // A walk of the list, which is short; of a filter over the map the API server estimates a cost without a bound.
    cel: `${celList(ownedParameters)}.filter(n, n in self).map(n, n + ' ${isOwned}' + ${celMap(owners, celText)}[n])[0]`,
    js: (value) => ownedWords(ownedParameters.find((name) => name in value) ?? ''),
  },
});

const typed = typeChecks.reduce<typeof free>((schema, check) => {
  const isRight = (value: Config, name: string) => check.js(name, String(value[name]));
  const given = (value: Config) => check.names.filter((name) => name in value);
  return rule(schema, {
    cel: `${celList(check.names)}.all(n, !(n in self) || (${check.cel}))`,
    js: (value) => given(value).every((name) => isRight(value, name)),
    message: check.expected.message,
    words: {
      cel: `${celList(check.names)}.filter(n, n in self && !(${check.cel})).map(n, n + ' ' + ${check.expected.cel} + ', not "' + string(self[n]) + '"')[0]`,
      js: (value) => {
        const name = given(value).find((each) => !isRight(value, each)) ?? '';
        return `${name} ${check.expected.js(name)}, not "${String(value[name])}"`;
      },
    },
  });
}, free);

/** `spec.postgrest.config`: PostgREST parameters by name. */
export const postgrestConfig = typed
  .default({})
  .describe(
    `PostgREST parameters by their names in PostgREST's documentation, such as db-max-rows: 1000 or db-anon-role: web. Texts and whole numbers; true and false are written in quotes. All are in ${page}.`,
  );

/** The parameters as a revision keeps them: all are texts, so that 10 and "10" are one revision. */
export function canonicalConfig(config: Config): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, String(value)]));
}
