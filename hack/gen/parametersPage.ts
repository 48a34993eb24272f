import type { ParameterType } from '../../operator/api/v1alpha1/postgrestParameter.ts';
import { postgrestParameters } from '../../operator/api/v1alpha1/postgrestParameters.ts';
import { code, table } from './markdown.ts';

/** The page of PostgREST's parameters in docs/reference. */
export function parametersPage(): string {
  return [
    '# PostgREST parameters',
    "What `spec.postgrest.config` of an ApiInstance takes: the parameters of PostgREST 12 to 16. How to set them, and what a change does: [Settings](../how-to/settings.md). What a parameter means in full is in [PostgREST's documentation](https://docs.postgrest.org/en/stable/references/configuration.html).",
    'A change marked _reload_ is one that PostgREST reads anew from its configuration, in every version that knows the parameter; it needs new pods all the same behind the pooler, where PostgREST cannot be told. Everything else needs new pods.',
    table(
      ['Parameter', 'Takes', 'Default', 'Versions', 'A change', 'What it does'],
      postgrestParameters
        .filter(({ owned }) => owned === undefined)
        .map((parameter) => [
          code(parameter.name),
          typeText(parameter.type),
          defaultText(parameter),
          versionsText(parameter),
          parameter.change === 'reload' ? '_reload_' : 'new pods',
          parameter.means,
        ])
        .concat([
          [
            '`app-settings-<name>`',
            'a text',
            '',
            'all',
            '_reload_',
            "What SQL reads as `current_setting('app.settings.<name>', true)`, with `_` for `-`.",
          ],
        ]),
    ),
    '## Set by the operator',
    'The API server refuses these, and says why.',
    table(
      ['Parameter', 'Why'],
      postgrestParameters.flatMap(({ name, owned }) => (owned === undefined ? [] : [[code(name), owned]])),
    ),
  ].join('\n\n');
}

function typeText(type: ParameterType): string {
  if (type.kind === 'boolean') return '`"true"` or `"false"`, in quotes';
  if (type.kind === 'word') return type.words.map(code).join(', ');
  if (type.kind === 'whole') return `${type.min} to ${type.max}${type.seconds === true ? ' seconds' : ''}`;
  return type.kind === 'list' ? 'names with commas between them' : 'a text';
}

type Parameter = (typeof postgrestParameters)[number];

function defaultText({ default: byDefault, chosen }: Parameter): string {
  const own = byDefault === undefined ? [] : [code(byDefault)];
  return [...own, ...(chosen === undefined ? [] : [chosen])].join('; ');
}

function versionsText({ since, until }: Parameter): string {
  if (since === undefined) return until === undefined ? 'all' : `up to ${until}`;
  return until === undefined ? `since ${since}` : `${since} to ${until}`;
}
