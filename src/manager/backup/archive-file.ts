import {
  constants,
  createReadStream,
  createWriteStream,
  fstatSync,
  type ReadStream,
  statSync,
  type WriteStream,
} from 'node:fs'

/** A file, or one that is open already: it stays open. */
export interface ArchiveFile {
  /** For messages too. */
  readonly file: string
  readonly descriptor?: number | undefined
}

/** Writes a new file that only its owner may read. */
export function writeNew({ file, descriptor }: ArchiveFile): WriteStream {
  if (descriptor !== undefined) {
    return createWriteStream(file, { fd: descriptor, autoClose: false })
  }
  const { O_CREAT, O_EXCL, O_WRONLY, O_DSYNC } = constants
  // Node's permission model allows no fsync: what is written is on the disk at once.
  const flags = O_CREAT | O_EXCL | O_WRONLY | O_DSYNC
  return createWriteStream(file, { flags: flags as never, mode: 0o600 })
}

export function readFrom({ file, descriptor }: ArchiveFile): ReadStream {
  return createReadStream(
    file,
    descriptor === undefined ? {} : { fd: descriptor, start: 0, autoClose: false },
  )
}

/** In bytes. */
export function sizeOf({ file, descriptor }: ArchiveFile): number {
  return (descriptor === undefined ? statSync(file) : fstatSync(descriptor)).size
}
