import { expect, it } from 'vitest';
import { cniConfig, containerdConfig, kubeletConfig, proxyConfig, reachableResolvers } from './config.ts';

it('gives pods only resolvers that they can reach', () => {
  const resolvConf =
    '# made by hand\nnameserver 127.0.0.53\nnameserver ::1\n nameserver 10.0.0.2\nsearch lan\n';
  expect(reachableResolvers(resolvConf)).toBe('nameserver 10.0.0.2\nsearch lan\n');
  expect(reachableResolvers('nameserver 127.0.0.1')).toBe('');
});

it("keeps containerd apart from the machine's own", () => {
  const config = containerdConfig({
    root: '/c/root',
    state: '/c/state',
    socket: '/c/sock',
    cni: '/c/cni',
    pause: 'localhost/pause:1',
  });
  for (const line of [
    'root = "/c/root"',
    'state = "/c/state"',
    'address = "/c/sock"',
    'conf_dir = "/c/cni"',
    'sandbox_image = "localhost/pause:1"',
  ]) {
    expect(config).toContain(line);
  }
});

it('never lets the kubelet collect images, which were imported by hand', () => {
  const paths = {
    socket: '/s',
    clientAuthority: '/ca',
    serving: { cert: '/c', key: '/k' },
    resolvConf: '/r',
    podLogs: '/l',
    volumePlugins: '/v',
  };
  expect(kubeletConfig(paths)).toMatchObject({
    imageGCHighThresholdPercent: 100,
    failCgroupV1: false,
    containerRuntimeEndpoint: 'unix:///s',
  });
});

it('opens node ports on the loopback address only', () => {
  expect(proxyConfig('/k', 'local')).toMatchObject({ mode: 'iptables', nodePortAddresses: ['127.0.0.0/8'] });
});

it("keeps the pods' addresses in the cluster's own folder", () => {
  expect(JSON.stringify(cniConfig('/c/addresses'))).toContain('"dataDir":"/c/addresses"');
});
