import { describe, expect, it } from 'vitest';
import { choose } from './detect.ts';
import type { Choice, Facts } from './detect.ts';

const debian: Facts = { hostCluster: false, docker: false, linux: true, root: true, aptGet: true, go: true };
const laptop: Facts = {
  hostCluster: false,
  docker: false,
  linux: false,
  root: false,
  aptGet: false,
  go: false,
};
const provider = (choice: Choice): string => ('provider' in choice ? choice.provider : 'none');

describe('the cluster runs', () => {
  it.each<[string, Facts, string]>([
    ['on this host where it is Debian and we are root', debian, 'host'],
    ['in kind where a Docker engine answers', { ...debian, docker: true }, 'kind'],
    ['in kind where a Docker engine answers on any machine', { ...laptop, docker: true }, 'kind'],
    ['where it runs already, whatever else is there', { ...debian, docker: true, hostCluster: true }, 'host'],
    ['where it was asked to', { ...debian, docker: true, asked: 'host' }, 'host'],
    ['in an existing cluster only when that was asked for', { ...laptop, asked: 'existing' }, 'existing'],
    ['by detection when nothing was asked for', { ...debian, asked: '' }, 'host'],
  ])('%s', (_sentence, facts, expected) => {
    expect(provider(choose(facts))).toBe(expected);
  });
});

it('says for each provider what is missing', () => {
  const choice = choose({ ...debian, root: false, go: false });
  expect(choice).toHaveProperty(
    'problem',
    expect.stringMatching(/Docker[\s\S]*host needs: root.*, Go[\s\S]*--provider existing/),
  );
});

it('says which providers there are when another one is asked for', () => {
  expect(choose({ ...debian, asked: 'minikube' })).toHaveProperty(
    'problem',
    expect.stringContaining('host, kind, existing'),
  );
});
