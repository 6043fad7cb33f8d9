import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { readContainer } from './docker-containers.ts'

test('what a container may use at most is read as it was asked for, and no limit in each way that the engine writes it', () => {
  const limits = (host: object) => {
    const { memoryBytes, cpus, pids, sharedMemoryBytes } = readContainer({ HostConfig: host })
    return { memoryBytes, cpus, pids, sharedMemoryBytes }
  }
  deepEqual(limits({ Memory: 4_096, NanoCpus: 1_100_000_000, PidsLimit: 64, ShmSize: 67_108_864 }), {
    ...{ memoryBytes: 4_096, cpus: 1.1, pids: 64, sharedMemoryBytes: 67_108_864 },
  })
  for (const pids of [null, 0, -1]) {
    deepEqual(limits({ Memory: 0, NanoCpus: 0, PidsLimit: pids }), {
      ...{ memoryBytes: 0, cpus: undefined, pids: undefined, sharedMemoryBytes: undefined },
    })
  }
})
