import { expect, test } from 'vitest';
import { renamedConfig } from './renamedConfig.ts';

const names = { exposedSchema: 'api', release: { id: '12ab34cd', schema: 'api_12ab34cd' } };

test.each([
  ['db-pre-request', 'api.check', 'api_12ab34cd.check'],
  ['db-pre-request', '"api".check', 'api_12ab34cd.check'],
  ['db-root-spec', 'api.root', 'api_12ab34cd.root'],
  ['db-pre-config', 'api.configure', 'api_12ab34cd.configure'],
  ['db-extra-search-path', 'public, api,extensions', 'public,api_12ab34cd,extensions'],
  ['db-pre-request', 'auth.check', 'auth.check'],
  ['db-pre-request', 'check', 'check'],
  ['db-pre-request', 'api', 'api'],
  ['db-pre-request', 'apis.check', 'apis.check'],
  ['openapi-server-proxy-uri', 'https://api.example.com', 'https://api.example.com'],
])('%s: %s becomes %s', (parameter, value, expected) => {
  expect(renamedConfig({ [parameter]: value }, names)).toEqual({ [parameter]: expected });
});
