import { expect, it } from 'vitest';
import { kindCommands, kindConfig } from './kind.ts';

it("makes the routers' node ports ports of this machine's loopback address", () => {
  expect(kindConfig([30080, 30081])).toMatchObject({
    kind: 'Cluster',
    nodes: [
      {
        role: 'control-plane',
        extraPortMappings: [
          { containerPort: 30080, hostPort: 30080, listenAddress: '127.0.0.1' },
          { containerPort: 30081, hostPort: 30081, listenAddress: '127.0.0.1' },
        ],
      },
    ],
  });
});

it("names its cluster in every command that changes something, and leaves the user's kubeconfig alone", () => {
  for (const command of [
    kindCommands.create('/k'),
    kindCommands.kubeconfig('/k'),
    kindCommands.remove('/k'),
  ]) {
    expect(command.join(' ')).toContain('--name postgrest-operator');
    expect(command.join(' ')).toContain('--kubeconfig /k');
  }
  expect(kindCommands.load('/a.tar')).toEqual([
    'load',
    'image-archive',
    '/a.tar',
    '--name',
    'postgrest-operator',
  ]);
});

it("takes kind's own node image unless another is named", () => {
  expect(kindCommands.create('/k', '')).not.toContain('--image');
  expect(kindCommands.create('/k', 'kindest/node:v1.34.8').slice(-2)).toEqual([
    '--image',
    'kindest/node:v1.34.8',
  ]);
});
