import { expect, it } from 'vitest';
import { ownedProcesses } from './containers.ts';

const shim = (socket: string): string =>
  ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'k8s.io', '-id', 'x', '-address', socket].join('\0');

it("finds its own containers' processes, and nobody else's", () => {
  const all = [
    { pid: 1, parent: 0, command: '/sbin/init' },
    { pid: 10, parent: 1, command: shim('/ours.sock') },
    { pid: 11, parent: 10, command: '/pause' },
    { pid: 12, parent: 10, command: 'postgres' },
    { pid: 13, parent: 12, command: 'postgres: writer' },
    { pid: 20, parent: 1, command: shim('/run/containerd/containerd.sock') },
    { pid: 21, parent: 20, command: '/pause' },
    { pid: 30, parent: 1, command: 'less\0/ours.sock' },
  ];
  expect(ownedProcesses(all, '/ours.sock').sort()).toEqual([10, 11, 12, 13]);
});
