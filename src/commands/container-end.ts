import type { ContainerFacts } from '#programs/docker-containers.ts'

type Ended = Pick<ContainerFacts, 'outOfMemory' | 'memoryBytes' | 'exitCode' | 'error'>

/** Ended by signal 9, as the kernel does it where memory runs out. */
const KILLED = 137

/** Why a container does not run any more, as a person reads it. */
export function howItEnded({ outOfMemory, memoryBytes, exitCode, error }: Ended): string {
  if (outOfMemory) {
    return 'the kernel ended it for using more memory than it may'
  }
  // The engine forgets what it heard of the memory when the container is gone before it is told.
  const killed =
    exitCode === KILLED && memoryBytes > 0
      ? `: it was killed, as happens to what needs more than its ${mebibytes(memoryBytes)} MiB of memory`
      : ''
  return error === '' ? `exit code ${exitCode}${killed}` : `exit code ${exitCode} (${error})${killed}`
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
