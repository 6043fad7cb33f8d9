import { copyFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { World } from '#cli/demo/world.ts'
import type { Figure } from './figure.ts'

/** What manager and worker remember at one moment. */
export interface JournalSize {
  readonly manager: Stored
  readonly worker: Stored
  readonly logBytes: number
  readonly deployments: number
}

interface Stored {
  readonly rows: number
  /** Of rows and their indexes, without the free space of pages. */
  readonly bytes: number
}

export async function journalSize({ folder }: World): Promise<JournalSize> {
  const count = 'SELECT count(*) AS n FROM deployments'
  const [manager, worker] = await Promise.all([
    inCopy(join(folder, 'manager/fairlead.db'), db => ({
      ...storedIn(db),
      deployments: numberOf(db, count),
    })),
    inCopy(join(folder, 'worker/journal.db'), storedIn),
  ])
  const logBytes = await bytesIn(join(folder, 'manager/logs'))
  return { manager, worker, logBytes, deployments: manager.deployments }
}

/** How much of it one deployment is. */
export function journalFigures(form: string, before: JournalSize, after: JournalSize): Figure[] {
  const share = (of: (size: JournalSize) => number) =>
    (of(after) - of(before)) / (after.deployments - before.deployments)
  return (['manager', 'worker'] as const).map(part => {
    const log = part === 'manager' ? `, its log ${kibibytes(share(size => size.logBytes))} KiB` : ''
    return {
      id: 'P11',
      what: `${form}: journal of one deployment, ${part}`,
      value: share(size => size[part].bytes) / 1024,
      unit: 'KiB',
      target: 'shown',
      note: `${Math.round(share(size => size[part].rows))} rows${log}`,
    }
  })
}

function kibibytes(bytes: number): string {
  return (bytes / 1024).toFixed(1)
}

function storedIn(db: DatabaseSync): Stored {
  const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()
  const rows = tables.map(({ name }) => numberOf(db, `SELECT count(*) AS n FROM "${name}"`))
  return {
    rows: rows.reduce((sum, each) => sum + each, 0),
    bytes: numberOf(db, 'SELECT sum(payload) AS n FROM dbstat'),
  }
}

function numberOf(db: DatabaseSync, query: string): number {
  return Number(db.prepare(query).get()?.n)
}

/** The worker lets nobody else read its journal while it runs. */
async function inCopy<T>(file: string, look: (db: DatabaseSync) => T): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-bench-'))
  try {
    const copy = join(folder, basename(file))
    await copyFile(file, copy)
    await copyFile(`${file}-wal`, `${copy}-wal`)
    const db = new DatabaseSync(copy)
    const found = look(db)
    db.close()
    return found
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Nothing while nothing was deployed. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(names.map(name => stat(join(folder, name)).catch(() => undefined)))
  return sizes.reduce((sum, each) => sum + (each?.isFile() ? each.size : 0), 0)
}
